/* Loaded into a program before it starts: SIGUSR1 has the program ignore SIGHUP, SIGUSR2 restores SIGHUP's default. */
#include <signal.h>

static void ignore(int signal) {
    struct sigaction action = {.sa_handler = SIG_IGN};
    sigaction(SIGHUP, &action, 0);
    (void)signal;
}

static void restore(int signal) {
    struct sigaction action = {.sa_handler = SIG_DFL};
    sigaction(SIGHUP, &action, 0);
    (void)signal;
}

__attribute__((constructor)) static void install(void) {
    struct sigaction action = {.sa_handler = ignore};
    sigaction(SIGUSR1, &action, 0);
    action.sa_handler = restore;
    sigaction(SIGUSR2, &action, 0);
}
