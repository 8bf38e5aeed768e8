// Nothing was wrong when this case ran.
//
// It happened in this case, one operation in a line. Letters are processes, a is the first; heap[1]+0x10
// is byte 0x10 of the second page above the first program break, and 2p means two pages. The function
// the_case near the end of this file does the same; each line says what must happen. The code above
// it reports what differs.
//
//     faultline 1
//     a: sbrk +1p
//     a: open heap[0]
//
// Note: run it on a fresh image, because the case uses files and may make new ones.
// A program for xv6: put it into user/ as repro.c, add $U/_repro to UPROGS in the
// Makefile, and type repro at the prompt. Its last line is REPRODUCED or not reproduced;
// if it is neither, the kernel went wrong in the operation that was announced last.

typedef unsigned long uint64;

// System calls.
enum { FORK = 1, EXIT = 2, WAIT = 3, DUP = 10, SBRK = 12, OPEN = 15, WRITE = 16, CLOSE = 21 };

#define PAGE 4096UL

// Flavours of sbrk; kernels with only one ignore them.
enum { EAGER = 1, LAZY = 2 };

// The exit status of a process that saw a difference.
enum { DIFFERS = 111 };

static uint64 heap;  // the first program break

static uint64 output = 1; // the descriptor for output

static uint64 system_call(uint64 call, uint64 first, uint64 second, uint64 third)
{
  register uint64 a0 asm("a0") = first;
  register uint64 a1 asm("a1") = second;
  register uint64 a2 asm("a2") = third;
  register uint64 a7 asm("a7") = call;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

static char line[400];
static int line_length;

static void say(char *words)
{
  while (*words && line_length < sizeof line)
    line[line_length++] = *words++;
}

static void say_value(uint64 value)
{
  char digits[20];
  int count = 0;
  uint64 base = value < 10000 ? 10 : 16;

  if (value == ~0UL) {
    say("-1");
    return;
  }
  do
    digits[count++] = "0123456789abcdef"[value % base];
  while (value /= base);
  if (base == 16)
    say("0x");
  while (count > 0) {
    char digit[2] = { digits[--count], 0 };
    say(digit);
  }
}

static void end_line(void)
{
  say("\n");
  system_call(WRITE, output, (uint64)line, line_length);
  line_length = 0;
}

static int operation_number;
static char *operation; // the current one

static void say_operation(void)
{
  say("op ");
  say_value(operation_number);
  say(" (");
  say(operation);
  say(")");
}

static void op(int number, char *words)
{
  operation_number = number;
  operation = words;
}

static void finish(int shown)
{
  say(shown ? "REPRODUCED" : "not reproduced");
  end_line();
  system_call(EXIT, shown, 0, 0);
}

// Reports at once: the kernel may go wrong, or take long, when the process ends.
static void differ(void)
{
  end_line();
  say("REPRODUCED");
  end_line();
  system_call(EXIT, DIFFERS, 0, 0);
}

static void returns(uint64 seen, uint64 expected)
{
  if (seen == expected)
    return;
  say_operation();
  say(": expected ");
  say_value(expected);
  say(", saw ");
  say_value(seen);
  differ();
}

// The status with which process a ended.
static int ends(int status, int expected)
{
  if (status == expected)
    return 1;
  say("the end: expected a to end with status ");
  say_value((long)expected);
  say(", saw ");
  say_value((long)status);
  end_line();
  return 0;
}

// Output goes to the last descriptor: the case uses the others.
static void take_the_last_descriptor(void)
{
  while ((output = system_call(DUP, 1, 0, 0)) < 15)
    ;
  for (int low = 3; low < 15; low++)
    system_call(CLOSE, low, 0, 0);
}

static void close_descriptors(void)
{
  for (int low = 0; low < 15; low++)
    system_call(CLOSE, low, 0, 0);
}

static void set_up(void)
{
  heap = system_call(SBRK, 0, EAGER, 0);
  system_call(SBRK, -heap % PAGE, EAGER, 0); // to the end of its page
  heap += -heap % PAGE;
  take_the_last_descriptor();
}

static void the_case(void)
{
  op(0, "a: sbrk +1p"); returns(system_call(SBRK, PAGE, LAZY, 0), heap);
  op(1, "a: open heap[0]"); returns(system_call(OPEN, heap, 0, 0), 0);
}

static void run(void)
{
  int status = 0;

  set_up();
  if (system_call(FORK, 0, 0, 0) == 0) {
    close_descriptors();
    the_case();
    system_call(EXIT, 0, 0, 0);
  }
  system_call(WAIT, (uint64)&status, 0, 0);
  if (status == DIFFERS)
    system_call(EXIT, 1, 0, 0);
  if (!ends(status, 0))
    finish(1);
  finish(0);
}

int main(void)
{
  run();
  return 0;
}
