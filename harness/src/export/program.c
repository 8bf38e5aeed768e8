//: PAGE
#define PAGE 4096UL
//: TRAPFRAME
#define TRAPFRAME 0x3fffffe000UL
//: FAILED
#define FAILED (~0UL)
//: EAGER LAZY
// Flavours of sbrk; kernels with only one ignore them.
enum { EAGER = 1, LAZY = 2 };
//: DIFFERS alone
// The exit status of a process that saw a difference.
enum { DIFFERS = @DIFFERS@ };
//: SET several
#define SET(who) (1 << (who))
//: CONDUCTOR CLOCK PROCESSES several
// The conductor is not a process of the case: it says whose turn it is. The clock wakes it.
enum { CONDUCTOR = PROCESSES, CLOCK };
//: GO ANSWER END several
// The conductor's orders: do your operation; answer, if you are alive; the case is over.
enum { GO, ANSWER, END };
//: DONE DIFFERS EXCUSED several
// A process's reports: it has done its operation, as expected or not.
enum { DONE, DIFFERS, EXCUSED };
//: PATIENCE LULL several
// Ticks of a tenth of a second: how long to wait for a process; how long silence must last.
enum { PATIENCE = 200, LULL = 5 };

//: heap
static uint64 heap;  // the first program break
//: stack
static uint64 stack; // the page of the stack; the page below is the guard page
//: guard
#define guard (stack - PAGE)
//: output
static uint64 output = 1; // the descriptor for output

//: text data
// The case's text: two pages of return instructions. Its data: most of a page of bytes, then zeros.
asm(".text\n"
    ".balign 4096\n"
    "case_text: .zero @CODE@; .rept (8192 - @CODE@) / 2; .half 0x8082; .endr\n" // c.jr ra
    ".data\n"
    ".balign 4096\n"
    "case_data: .set at, 0\n"
    ".rept 4096 - 0x180; .byte ((at ^ (at >> 8)) | 1) & 255; .set at, at + 1; .endr\n"
    ".zero 4096 + 0x180\n"
    ".text\n");
extern char case_text[], case_data[];
#define text ((uint64)case_text)
#define data ((uint64)case_data)

//: system_call
static uint64 system_call(uint64 call, uint64 first, uint64 second, uint64 third)
{
  register uint64 a0 asm("a0") = first;
  register uint64 a1 asm("a1") = second;
  register uint64 a2 asm("a2") = third;
  register uint64 a7 asm("a7") = call;
  asm volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a7) : "memory");
  return a0;
}

//: load1
static uint64 load1(uint64 address)
{
  uint64 value;
  asm volatile("lbu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

//: load2
static uint64 load2(uint64 address)
{
  uint64 value;
  asm volatile("lhu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

//: load4
static uint64 load4(uint64 address)
{
  uint64 value;
  asm volatile("lwu %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

//: load8
static uint64 load8(uint64 address)
{
  uint64 value;
  asm volatile("ld %0, 0(%1)" : "=r"(value) : "r"(address) : "memory");
  return value;
}

//: store1
static void store1(uint64 address, uint64 value)
{
  asm volatile("sb %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

//: store2
static void store2(uint64 address, uint64 value)
{
  asm volatile("sh %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

//: store4
static void store4(uint64 address, uint64 value)
{
  asm volatile("sw %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

//: store8
static void store8(uint64 address, uint64 value)
{
  asm volatile("sd %0, 0(%1)" : : "r"(value), "r"(address) : "memory");
}

//: store_string
// Stores the first `length` bytes of a string.
static void store_string(uint64 address, char *string, int length)
{
  for (int at = 0; at < length; at++)
    store1(address + at, string[at]);
}

//: touch
// Loads `count` bytes, `stride` apart, and returns their sum.
static uint64 touch(uint64 address, uint64 count, uint64 stride)
{
  uint64 sum = 0;
  for (; count > 0; count--, address += stride)
    sum += load1(address);
  return sum;
}

//: touch_write
// Stores `count` bytes, `stride` apart; each is the number of bytes still to store.
static void touch_write(uint64 address, uint64 count, uint64 stride)
{
  for (; count > 0; count--, address += stride)
    store1(address, count);
}

//: jump
// Calls the code at an address.
static void jump(uint64 address)
{
  asm volatile("jalr ra, 0(%0)" : : "r"(address) : "ra", "memory");
}

//: say say_value end_line
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

//: operation operation_number say_operation
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

//: op alone
static void op(int number, char *words)
{
  operation_number = number;
  operation = words;
}

//: announce
// If this is the last line on the console, the operation is where the kernel went wrong.
static void announce(void)
{
  say("about to do ");
  say_operation();
  end_line();
}

//: tell several
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

//: finish alone
static void finish(int shown)
{
  say(shown ? "REPRODUCED" : "@OTHERWISE@");
  end_line();
  system_call(EXIT, shown, 0, 0);
}

//: finish several
static void finish(int shown)
{
  for (int who = 0; who < PROCESSES; who++)
    if (pids[who] > 0)
      system_call(KILL, pids[who], 0, 0);
  if (clock_pid > 0)
    system_call(KILL, clock_pid, 0, 0);
  say(shown ? "REPRODUCED" : "@OTHERWISE@");
  end_line();
  system_call(EXIT, shown, 0, 0);
}

//: differ alone
// Reports at once: the kernel may go wrong, or take long, when the process ends.
static void differ(void)
{
  end_line();
  say("REPRODUCED");
  end_line();
  system_call(EXIT, DIFFERS, 0, 0);
}

//: scarce several
static int scarce; // few frames are left: an operation that needs one may fail

//: differ several
static void differ(void)
{
@EXCUSE@  end_line();
  if (me == CONDUCTOR)
    finish(@SHOWN@);
  tell(@REPORT@, PROCESSES);
  system_call(EXIT, 1, 0, 0);
}

//: returns
static void returns(uint64 seen, uint64 expected)
{
  if (seen == expected)
    return;
@WRONG_ANSWER@  say_operation();
  say(": expected ");
  say_value(expected);
  say(", saw ");
  say_value(seen);
  differ();
}

//: at_least
static void at_least(uint64 seen, uint64 least)
{
  if ((long)seen >= (long)least)
    return;
  say_operation();
  say(": expected at least ");
  say_value(least);
  say(", saw ");
  say_value(seen);
  differ();
}

//: dies
// The process must not come back from its operation.
static void dies(uint64 seen)
{
  say_operation();
  say(": expected the process to end, saw ");
  say_value(seen);
  differ();
}

//: lives
// The process must not come back from its operation.
static void lives(void)
{
  say_operation();
  say(": expected the process to end, saw it go on");
  differ();
}

//: sleeps several
// The operation waits for something that never happens.
static void sleeps(uint64 seen)
{
  say_operation();
  say(": expected the process to sleep, saw ");
  say_value(seen);
  differ();
}

//: rest
// Lets timer interrupts come.
static void rest(uint64 ticks)
{
  uint64 end = system_call(UPTIME, 0, 0, 0) + ticks;
  while (system_call(UPTIME, 0, 0, 0) < end)
    ;
}

//: make_file
static void make_file(char *name)
{
  uint64 file = system_call(OPEN, (uint64)name, 0x201, 0);
  system_call(WRITE, file, (uint64)name, 10);
  system_call(CLOSE, file, 0, 0);
}

//: count_frames
// Counts the free frames: a child takes them all, page by page, and may be killed for that.
static int count_frames(void)
{
  int ends[2], count = 0;
  char byte;

  system_call(PIPE, (uint64)ends, 0, 0);
  if (system_call(FORK, 0, 0, 0) == 0) {
    system_call(CLOSE, ends[0], 0, 0);
    for (;;) {
      uint64 page = system_call(SBRK, PAGE, EAGER, 0);
      if (page == FAILED)
        system_call(EXIT, 0, 0, 0);
      *(volatile char *)page = 1;
      system_call(WRITE, ends[1], page, 1);
    }
  }
  system_call(CLOSE, ends[1], 0, 0);
  while (system_call(READ, ends[0], (uint64)&byte, 1) == 1)
    count++;
  system_call(CLOSE, ends[0], 0, 0);
  system_call(WAIT, 0, 0, 0);
  if (count == 0) {
    say("this program cannot count free frames here: it shows nothing");
    end_line();
    system_call(EXIT, 2, 0, 0);
  }
  return count;
}

//: frames_before
static int frames_before;
//: frames_come_back
static int frames_come_back(void)
{
  int after = count_frames();
  if (after == frames_before)
    return 1;
  say("the end: expected ");
  say_value(frames_before);
  say(" free frames, saw ");
  say_value(after);
  end_line();
  return 0;
}

//: takes_at_most several
// The conductor compares free frames before and after the current operation.
static void takes_at_most(int most)
{
  int after = count_frames();
  if (frames_before - after <= most)
    return;
  say_operation();
  say(": expected at most ");
  say_value(most);
  say(" frames to be taken, saw ");
  say_value(frames_before - after);
  differ();
}

//: gives_at_least several
static void gives_at_least(int least)
{
  int after = count_frames();
  if (after - frames_before >= least)
    return;
  say_operation();
  say(": expected at least ");
  say_value(least);
  say(" frames to come back, saw ");
  say_value(after < frames_before ? 0 : after - frames_before);
  differ();
}

//: frames give_frames_back several
// The conductor takes all memory and gives some back: about as much as the case has, since this
// program needs a little memory of its own. Needs an sbrk that allocates at once.
static uint64 taken;

static void give_frames_back(void)
{
  system_call(SBRK, -taken, EAGER, 0);
  taken = 0;
}

static void frames(uint64 left)
{
  give_frames_back();
  while (system_call(SBRK, PAGE, EAGER, 0) != FAILED)
    taken += PAGE;
  left = left * PAGE < taken ? left * PAGE : taken;
  system_call(SBRK, -left, EAGER, 0);
  taken -= left;
}

//: hear several
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

//: give several
static void give(int who, int what)
{
  int order[1 + PROCESSES];
  order[0] = what;
  for (int at = 0; at < PROCESSES; at++)
    order[1 + at] = pids[at];
  system_call(WRITE, orders[who][1], (uint64)order, sizeof order);
}

//: obey several
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

//: turn several
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

//: done several
static void done(void)
{
  tell(DONE, PROCESSES);
}

//: forks several
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

//: reaps several
// Waits for a child, and compares the status with which it ended.
static void reaps(int child, int expected)
{
  static int reaped[PROCESSES], statuses[PROCESSES];
  while (!reaped[child]) {
    int status;
    int pid = system_call(WAIT, (uint64)&status, 0, 0);
    if (pid < 0)
      break;
    for (int who = 0; who < PROCESSES; who++)
      if (pids[who] == pid) {
        reaped[who] = 1;
        statuses[who] = status;
      }
  }
  if (!reaped[child]) {
    say_operation();
    say(": expected the child, saw -1");
    differ();
  }
  returns((long)statuses[child], (long)expected);
}

//: roll_call several
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

//: ends
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

//: take_the_last_descriptor alone
// Output goes to the last descriptor: the case uses the others.
static void take_the_last_descriptor(void)
{
  while ((output = system_call(DUP, 1, 0, 0)) < 15)
    ;
  for (int low = 3; low < 15; low++)
    system_call(CLOSE, low, 0, 0);
}

//: close_descriptors alone
static void close_descriptors(void)
{
  for (int low = 0; low < 15; low++)
    system_call(CLOSE, low, 0, 0);
}

//: set_up alone
static void set_up(void)
{
@SET_UP@}

//: set_up several
static void set_up(void)
{
@SET_UP@  // The pipes get high descriptors: the case uses the low ones.
  int first = 16 - 3 - 2 * PROCESSES;
  while ((output = system_call(DUP, 1, 0, 0)) < first)
    ;
  system_call(PIPE, (uint64)reports, 0, 0);
  for (int who = 0; who < PROCESSES; who++)
    system_call(PIPE, (uint64)orders[who], 0, 0);
  for (int low = 0; low < first; low++)
    system_call(CLOSE, low, 0, 0);
}

//: the_case alone
static void the_case(void)
{
@LINES@}

//: the_case several
static void the_case(void)
{
@LINES@}

//: run alone
static void run(void)
{
  int status = 0;

  set_up();
@BEFORE@  if (system_call(FORK, 0, 0, 0) == 0) {
@ENTER@    the_case();
    system_call(EXIT, 0, 0, 0);
  }
  system_call(WAIT, (uint64)&status, 0, 0);
  if (status == DIFFERS)
    system_call(EXIT, 1, 0, 0);
  if (!ends(status, @STATUS@))
    finish(1);
@AFTER@  finish(0);
}

//: run several
static void run(void)
{
  int pid, status = 0, seen = -2;

  set_up();
@BEFORE@  clock_pid = system_call(FORK, 0, 0, 0);
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
@GIVE_BACK@  roll_call(@LIVING@);
  system_call(KILL, clock_pid, 0, 0);
  clock_pid = 0;
  while ((pid = system_call(WAIT, (uint64)&status, 0, 0)) > 0)
    if (pid == pids[A])
      seen = status;
  if (!ends(seen, @STATUS@))
    finish(1);
@AFTER@  finish(0);
}

//: own_stack
// The case uses the stack: the program runs on another.
static char own_stack[4096] __attribute__((aligned(4096)));

//: main
int main(void)
{
@MAIN@}
