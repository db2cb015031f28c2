// entered PID SECONDS <FUNCTIONS: which of these functions the process enters, for so long. FUNCTIONS are addresses as nm gives them, hexadecimal, one a line;
// those that were entered come out the same way, each once. x86-64 only. Used by order-agent.sh.
//
// Each function's first byte becomes a breakpoint (int3). The first thread that comes by puts the byte back and goes on; at the end all are put back.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST = 1 << 18 };

static const unsigned char trap = 0xcc;
static uint64_t functions[MOST];
static unsigned char first[MOST];
static size_t count;
static volatile sig_atomic_t over;

static void on_alarm(int signal) { (void)signal; over = 1; }

static int by_address(const void *left, const void *right) {
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

static ssize_t find(uint64_t address) {
    uint64_t *found = bsearch(&address, functions, count, sizeof *functions, by_address);
    return found ? found - functions : -1;
}

// Where the program begins in the memory of the process: the first range of its file.
static uint64_t load_address(pid_t pid) {
    char path[64], program[4096], line[4352];
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    ssize_t length = readlink(path, program, sizeof program - 1);
    program[length < 0 ? 0 : length] = 0;
    snprintf(path, sizeof path, "/proc/%d/maps", pid);
    FILE *maps = fopen(path, "r");
    uint64_t base = 0;
    while (maps && length > 0 && !base && fgets(line, sizeof line, maps))
        if (strstr(line, program)) base = strtoull(line, NULL, 16);
    if (maps) fclose(maps);
    return base;
}

// Steps back onto the breakpoint that a stopped thread has just run over, if it is one of ours; gives which.
static ssize_t step_back(pid_t thread) {
    struct user_regs_struct registers;
    if (ptrace(PTRACE_GETREGS, thread, 0, &registers)) return -1;
    ssize_t at = find(registers.rip - 1);
    if (at >= 0) {
        registers.rip--;
        ptrace(PTRACE_SETREGS, thread, 0, &registers);
    }
    return at;
}

int main(int argc, char **argv) {
    if (argc != 3) return 2;
    pid_t pid = atoi(argv[1]);
    char path[64], line[128];
    uint64_t base = load_address(pid);
    if (!base) return 1;
    while (count < MOST && fgets(line, sizeof line, stdin)) functions[count++] = base + strtoull(line, NULL, 16);
    qsort(functions, count, sizeof *functions, by_address);

    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    if (!tasks) return 1;
    struct dirent *entry;
    int status;
    while ((entry = readdir(tasks))) {
        pid_t thread = atoi(entry->d_name);
        if (!thread) continue;
        if (ptrace(PTRACE_SEIZE, thread, 0, PTRACE_O_TRACECLONE)) return perror("ptrace"), 1;
        ptrace(PTRACE_INTERRUPT, thread, 0, 0);
        waitpid(thread, &status, __WALL);
    }

    snprintf(path, sizeof path, "/proc/%d/mem", pid);
    int memory = open(path, O_RDWR);
    for (size_t at = 0; at < count; at++) {
        if (pread(memory, &first[at], 1, functions[at]) != 1 || pwrite(memory, &trap, 1, functions[at]) != 1) return perror("memory"), 1;
    }

    rewinddir(tasks);
    while ((entry = readdir(tasks))) if (atoi(entry->d_name)) ptrace(PTRACE_CONT, atoi(entry->d_name), 0, 0);
    struct sigaction action = { .sa_handler = on_alarm };
    sigaction(SIGALRM, &action, NULL);
    alarm(atoi(argv[2]));
    while (!over) {
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0 && errno == EINTR) continue;
        if (thread < 0) break;
        if (!WIFSTOPPED(status)) continue;
        int signal = WSTOPSIG(status);
        if (status >> 16 || signal == SIGTRAP) {
            ssize_t at = status >> 16 ? -1 : step_back(thread);
            unsigned char now = 0;
            // Another thread may have been here between the breakpoint and us.
            if (at >= 0 && pread(memory, &now, 1, functions[at]) == 1 && now == trap && first[at] != trap) {
                pwrite(memory, &first[at], 1, functions[at]);
                printf("%016" PRIx64 "\n", functions[at] - base);
            }
            signal = 0;
        }
        ptrace(PTRACE_CONT, thread, 0, signal);
    }

    rewinddir(tasks);
    while ((entry = readdir(tasks))) {
        pid_t thread = atoi(entry->d_name);
        if (!thread || ptrace(PTRACE_INTERRUPT, thread, 0, 0)) continue;
        if (waitpid(thread, &status, __WALL) == thread && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP && !(status >> 16)) step_back(thread);
    }
    for (size_t at = 0; at < count; at++) pwrite(memory, &first[at], 1, functions[at]);
    rewinddir(tasks);
    while ((entry = readdir(tasks))) if (atoi(entry->d_name)) ptrace(PTRACE_DETACH, atoi(entry->d_name), 0, 0);
    return 0;
}
