// killer COMMAND...: becomes COMMAND, and ends it as kill -9 does, just before one of the system calls by which it changes something that outlives it: a file
// under the folder KILLER_STATE, or an address or interface by netlink.
//
// Which one stands in the file KILLER_ARM, as soon as that is there: "N WHAT" is the Nth call from then on whose file has WHAT in its path (of netlink: the
// word netlink); without WHAT any, with 0 none. The file KILLER_COUNT says how many there were, and at the end which one it was: "COUNT" or "COUNT CALL PATH".
//
// The tracer is nobody's child, so that COMMAND has the process id, the parent, the children and the signals that it would have without. Calls reach it by
// seccomp's filter: whatever changes nothing runs at its usual speed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// What an argument of a call is.
enum kind { PATH, AT_PATH, DESCRIPTOR, CREATED, NETLINK };

static const struct call { int number; enum kind kind; int argument; const char *name; } calls[] = {
#ifdef SYS_rename
    { SYS_rename, PATH, 1, "rename" }, { SYS_unlink, PATH, 0, "unlink" }, { SYS_mkdir, PATH, 0, "mkdir" }, { SYS_link, PATH, 1, "link" },
#endif
    { SYS_renameat, AT_PATH, 3, "rename" }, { SYS_renameat2, AT_PATH, 3, "rename" }, { SYS_unlinkat, AT_PATH, 1, "unlink" }, { SYS_mkdirat, AT_PATH, 1, "mkdir" }, { SYS_linkat, AT_PATH, 3, "link" },
    { SYS_openat, CREATED, 1, "create" },
    { SYS_write, DESCRIPTOR, 0, "write" }, { SYS_pwrite64, DESCRIPTOR, 0, "write" }, { SYS_ftruncate, DESCRIPTOR, 0, "truncate" }, { SYS_fsync, DESCRIPTOR, 0, "fsync" }, { SYS_fdatasync, DESCRIPTOR, 0, "fsync" },
    { SYS_sendto, NETLINK, 1, "send" },
};
enum { CALLS = sizeof calls / sizeof *calls };

static const char *state, *arm_file, *count_file;
static long at = -1, count;
static char what[128];

static void die(const char *words) { perror(words); exit(70); }

static void tell(const char *name, const char *path) {
    int file = open(count_file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || dprintf(file, name ? "%ld %s %s\n" : "%ld\n", count, name, path) < 0) die(count_file);
    close(file);
}

static int is_armed(void) {
    if (at >= 0) return 1;
    FILE *file = fopen(arm_file, "re");
    if (!file) return 0;
    if (fscanf(file, "%ld %127s", &at, what) < 1) at = -1;
    fclose(file);
    return at >= 0;
}

static int read_memory(pid_t thread, uint64_t address, void *into, size_t length) {
    struct iovec local = { into, length }, remote = { (void *)(uintptr_t)address, length };
    return (int)process_vm_readv(thread, &local, 1, &remote, 1, 0);
}

// What the call is about: a path under the folder, or "netlink"; empty: nothing that counts.
static void about(pid_t thread, const struct call *call, const uint64_t *args, char *path, size_t size) {
    path[0] = 0;
    if (call->kind == NETLINK) {
        struct nlmsghdr header;
        int isChange = args[2] >= sizeof header && read_memory(thread, args[1], &header, sizeof header) == sizeof header && header.nlmsg_len == args[2]
            && (header.nlmsg_type == RTM_NEWADDR || header.nlmsg_type == RTM_DELADDR || header.nlmsg_type == RTM_NEWLINK);
        if (isChange) snprintf(path, size, "netlink");
        return;
    }
    if (call->kind == DESCRIPTOR) {
        char link[64];
        snprintf(link, sizeof link, "/proc/%d/fd/%d", thread, (int)args[call->argument]);
        ssize_t length = readlink(link, path, size - 1);
        path[length < 0 ? 0 : length] = 0;
    } else {
        // A path may stand at the end of what can be read: page by page.
        for (size_t have = 0; have < size - 1;) {
            size_t page = 4096 - ((args[call->argument] + have) & 4095), next = page < size - 1 - have ? page : size - 1 - have;
            int got = read_memory(thread, args[call->argument] + have, path + have, next);
            path[have + (got < 0 ? 0 : (size_t)got)] = 0;
            if (got <= 0 || memchr(path + have, 0, (size_t)got)) break;
            have += (size_t)got;
        }
    }
    if (strncmp(path, state, strlen(state))) path[0] = 0;
}

static void filter_myself(void) {
    // openat counts where it makes a file; its flags are the third argument. Calls of another architecture are none of ours.
    struct sock_filter filter[CALLS * 2 + 8], *next = filter;
    *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (int i = 0; i < CALLS; i++) {
        if (calls[i].kind == CREATED) continue;
        *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)calls[i].number, 0, 1);
        *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    }
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat, 0, 3);
    *next++ = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[2]));
    *next++ = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, O_CREAT, 0, 1);
    *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE);
    *next++ = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { (unsigned short)(next - filter), filter };
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program)) die("seccomp");
}

// Ends with the process, or ends it.
static void watch(pid_t process) {
    for (;;) {
        int status;
        pid_t thread = waitpid(-1, &status, __WALL);
        if (thread < 0) exit(0);
        if (!WIFSTOPPED(status)) continue;
        int event = status >> 16, signal = WSTOPSIG(status);
        if (event == PTRACE_EVENT_SECCOMP) {
            struct __ptrace_syscall_info info;
            if (ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info) > 0 && is_armed()) {
                char path[4096];
                for (int i = 0; i < CALLS; i++) {
                    if ((uint64_t)calls[i].number != info.seccomp.nr) continue;
                    about(thread, &calls[i], (const uint64_t *)info.seccomp.args, path, sizeof path);
                    if (!path[0] || !strstr(path, what)) break;
                    count++;
                    if (count == at) {
                        tell(calls[i].name, path);
                        kill(process, SIGKILL);
                        exit(0);
                    }
                    tell(NULL, NULL);
                    break;
                }
            }
            ptrace(PTRACE_CONT, thread, 0, 0);
        } else if (event == PTRACE_EVENT_STOP) {
            // SIGSTOP holds all of its threads; any other stop is that of a new one.
            ptrace(signal == SIGSTOP || signal == SIGTSTP ? PTRACE_LISTEN : PTRACE_CONT, thread, 0, 0);
        } else {
            ptrace(PTRACE_CONT, thread, 0, event ? 0 : signal);
        }
    }
}

int main(int argc, char **argv) {
    int ready[2];
    char nothing;
    pid_t process = getpid();
    state = getenv("KILLER_STATE");
    arm_file = getenv("KILLER_ARM");
    count_file = getenv("KILLER_COUNT");
    if (argc < 2 || !state || !arm_file || !count_file || pipe2(ready, O_CLOEXEC)) return 64;
    pid_t between = fork();
    if (between < 0) die("fork");
    if (between == 0) {
        if (fork()) _exit(0);
        // EXITKILL: without its tracer each of these calls would fail.
        if (ptrace(PTRACE_SEIZE, process, 0, PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_EXITKILL)) die("ptrace");
        if (write(ready[1], "", 1) != 1) die("pipe");
        close(ready[0]);
        close(ready[1]);
        watch(process);
    }
    waitpid(between, NULL, 0);
    close(ready[1]);
    if (read(ready[0], &nothing, 1) != 1) return 70;
    filter_myself();
    execvp(argv[1], argv + 1);
    die(argv[1]);
}
