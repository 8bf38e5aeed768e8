// Nothing was wrong when this case ran.
//
// It happened in this case, one operation in a line. Letters are processes, a is the first; heap[1]+0x10
// is byte 0x10 of the second page above the first program break, and 2p means two pages. The function
// the_case near the end of this file does the same; each line says what must happen. The code above
// it reports what differs.
//
//     faultline 1
//     a: sbrk +2p
//     a: store8 heap[0] 5
//     a: b = fork
//     b: store8 heap[0] 7
//     a: load8 heap[0]
//     b: load1 guard[0]
//     a: wait heap[1]
//     a: load4 heap[1]
//
// A program for xv6: put it into user/ as repro.c, add $U/_repro to UPROGS in the
// Makefile, and type repro at the prompt. Its last line is REPRODUCED or not reproduced;
// if it is neither, the kernel went wrong in the operation that was announced last.

typedef unsigned long uint64;

// System calls.
enum { FORK = 1, EXIT = 2, WAIT = 3, PIPE = 4, READ = 5, KILL = 6, DUP = 10, SBRK = 12, PAUSE = 13, UPTIME = 14, WRITE = 16, CLOSE = 21 };

// The processes of the case.
enum { A, B, PROCESSES };

#define PAGE 4096UL

// Flavours of sbrk; kernels with only one ignore them.
enum { EAGER = 1, LAZY = 2 };

#define SET(who) (1 << (who))

// The conductor is not a process of the case: it says whose turn it is. The clock wakes it.
enum { CONDUCTOR = PROCESSES, CLOCK };

// The conductor's orders: do your operation; answer, if you are alive; the case is over.
enum { GO, ANSWER, END };

// A process's reports: it has done its operation, as expected or not.
enum { DONE, DIFFERS, EXCUSED };

// Ticks of a tenth of a second: how long to wait for a process; how long silence must last.
enum { PATIENCE = 200, LULL = 5 };

static uint64 heap;  // the first program break

static uint64 stack; // the page of the stack; the page below is the guard page

#define guard (stack - PAGE)

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

static uint64 load1(uint64 address)
{
  uint64 value;
  asm volatile("lbu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

static uint64 load4(uint64 address)
{
  uint64 value;
  asm volatile("lwu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

static uint64 load8(uint64 address)
{
  uint64 value;
  asm volatile("ld %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

static void store8(uint64 address, uint64 value)
{
  asm volatile("sd %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
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

static int reports[2];             // a pipe to the conductor
static int orders[PROCESSES][2];   // a pipe to each process
static int pids[PROCESSES];
static int clock_pid;
static int me = CONDUCTOR;

static void tell(int what, int child)
{
  int report[4] = { me, what, child, child < PROCESSES ? pids[child] : 0 };
  system_call(WRITE, reports[1], (uint64)report, sizeof report);
}

static void finish(int shown)
{
  for (int who = 0; who < PROCESSES; who++)
    if (pids[who] > 0)
      system_call(KILL, pids[who], 0, 0);
  if (clock_pid > 0)
    system_call(KILL, clock_pid, 0, 0);
  say(shown ? "REPRODUCED" : "not reproduced");
  end_line();
  system_call(EXIT, shown, 0, 0);
}

static void differ(void)
{
  end_line();
  if (me == CONDUCTOR)
    finish(1);
  tell(DIFFERS, PROCESSES);
  system_call(EXIT, 1, 0, 0);
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

// The process must not come back from its operation.
static void dies(uint64 seen)
{
  say_operation();
  say(": expected the process to end, saw ");
  say_value(seen);
  differ();
}

// The conductor listens until all of a set have done their operations, or, if the set is empty,
// for so many ticks. Others must be silent: they are dead, or asleep.
static void hear(int set, int ticks)
{
  int empty = set == 0;
  uint64 end = system_call(UPTIME, 0, 0, 0) + ticks;
  while ((empty || set) && system_call(UPTIME, 0, 0, 0) < end) {
    int report[4];
    system_call(READ, reports[0], (uint64)report, sizeof report);
    if (report[0] == CLOCK)
      continue;
    if (report[1] != DONE)
      finish(report[1] == DIFFERS);
    if (report[2] < PROCESSES)
      pids[report[2]] = report[3];
    if (!(set & SET(report[0]))) {
      char name[] = { 'a' + report[0], 0 };
      say_operation();
      say(": expected nothing of ");
      say(name);
      say(", which must be asleep or dead; saw it go on");
      differ();
    }
    set &= ~SET(report[0]);
  }
  for (int who = 0; who < PROCESSES; who++)
    if (set & SET(who)) {
      char name[] = { 'a' + who, 0 };
      say_operation();
      say(": expected ");
      say(name);
      say(" to go on, saw nothing of it");
      differ();
    }
}

static void give(int who, int what)
{
  int order[1 + PROCESSES];
  order[0] = what;
  for (int at = 0; at < PROCESSES; at++)
    order[1 + at] = pids[at];
  system_call(WRITE, orders[who][1], (uint64)order, sizeof order);
}

// A process waits for its turn.
static void obey(void)
{
  int order[1 + PROCESSES];
  for (;;) {
    if (system_call(READ, orders[me][0], (uint64)order, sizeof order) != sizeof order)
      system_call(EXIT, 1, 0, 0);
    for (int at = 0; at < PROCESSES; at++)
      pids[at] = order[1 + at];
    if (order[0] == GO)
      return;
    if (order[0] == END)
      system_call(EXIT, 0, 0, 0);
    tell(DONE, PROCESSES);
  }
}

// Every process goes through all operations of the case. The conductor lets `who` do each, waits until
// all of `going_on` have reported that they are done, and asks whether those of `dead` are silent.
static int turn(int number, char *words, int who, int going_on, int dead)
{
  operation_number = number;
  operation = words;
  if (me == who)
    obey();
  if (me != CONDUCTOR)
    return me == who;
  give(who, GO);
  if (going_on)
    hear(going_on, PATIENCE);
  if (!(going_on & SET(who)))
    hear(0, LULL);
  for (int at = 0; at < PROCESSES; at++)
    if (dead & SET(at))
      give(at, ANSWER);
  if (dead)
    hear(0, LULL);
  return 0;
}

static void done(void)
{
  tell(DONE, PROCESSES);
}

// The child runs the rest of the case as well.
static void forks(int child)
{
  int pid = system_call(FORK, 0, 0, 0);
  if (pid == 0) {
    me = child;
    tell(DONE, PROCESSES);
    return;
  }
  if (pid < 0) {
    say_operation();
    say(": expected a new process, saw -1");
    differ();
  }
  pids[child] = pid;
  tell(DONE, child);
}

// Every process of the set must be alive, and is told that the case is over; the others are killed.
static void roll_call(int living)
{
  operation = "the end";
  for (int who = 0; who < PROCESSES; who++)
    if (living & SET(who))
      give(who, ANSWER);
  if (living)
    hear(living, PATIENCE);
  for (int who = 0; who < PROCESSES; who++)
    if (living & SET(who))
      give(who, END);
    else if (pids[who] > 0)
      system_call(KILL, pids[who], 0, 0);
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

static void set_up(void)
{
  heap = system_call(SBRK, 0, EAGER, 0);
  system_call(SBRK, -heap % PAGE, EAGER, 0); // to the end of its page
  heap += -heap % PAGE;
  // The pipes get high descriptors: the case uses the low ones.
  int first = 16 - 3 - 2 * PROCESSES;
  while ((output = system_call(DUP, 1, 0, 0)) < first)
    ;
  system_call(PIPE, (uint64)reports, 0, 0);
  for (int who = 0; who < PROCESSES; who++)
    system_call(PIPE, (uint64)orders[who], 0, 0);
  for (int low = 0; low < first; low++)
    system_call(CLOSE, low, 0, 0);
}

static void the_case(void)
{
  if (turn(0, "a: sbrk +2p", A, SET(A), 0)) { returns(system_call(SBRK, 2 * PAGE, LAZY, 0), heap); done(); }
  if (turn(1, "a: store8 heap[0] 5", A, SET(A), 0)) { store8(heap, 5); done(); }
  if (turn(2, "a: b = fork", A, SET(A) | SET(B), 0)) { forks(B); }
  if (turn(3, "b: store8 heap[0] 7", B, SET(B), 0)) { store8(heap, 7); done(); }
  if (turn(4, "a: load8 heap[0]", A, SET(A), 0)) { returns(load8(heap), 5); done(); }
  if (turn(5, "b: load1 guard[0]", B, 0, SET(B))) { dies(load1(guard)); }
  if (turn(6, "a: wait heap[1]", A, SET(A), 0)) { returns(system_call(WAIT, heap + PAGE, 0, 0), pids[B]); done(); }
  if (turn(7, "a: load4 heap[1]", A, SET(A), 0)) { returns(load4(heap + PAGE), 0xffffffff); done(); }
}

static void run(void)
{
  int pid, status = 0, seen = -2;

  set_up();
  clock_pid = system_call(FORK, 0, 0, 0);
  if (clock_pid == 0) {
    me = CLOCK;
    for (;;) {
      system_call(PAUSE, 1, 0, 0);
      tell(DONE, PROCESSES);
    }
  }
  pids[A] = system_call(FORK, 0, 0, 0);
  if (pids[A] == 0)
    me = A;
  the_case();
  if (me != CONDUCTOR)
    obey();
  roll_call(SET(A));
  system_call(KILL, clock_pid, 0, 0);
  clock_pid = 0;
  while ((pid = system_call(WAIT, (uint64)&status, 0, 0)) > 0)
    if (pid == pids[A])
      seen = status;
  if (!ends(seen, 0))
    finish(1);
  finish(0);
}

int main(void)
{
  asm("mv %0, sp" : "=r"(stack));
  stack -= stack % PAGE;
  run();
  return 0;
}
