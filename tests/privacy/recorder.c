/* Loaded into a process and its children with LD_PRELOAD: writes down every name that is looked up, every address that
 * is connected or sent to, and every file that is opened for writing, made or renamed. Names other than this computer's
 * are answered with "no such name", so nothing leaves the machine. One line each, into the file $RECORDER_FILE. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void note(const char *what, const char *text) {
    const char *path = getenv("RECORDER_FILE");
    if (!path) return;
    char line[PATH_MAX + 64];
    int length = snprintf(line, sizeof line, "%s %s\n", what, text);
    if (length >= (int)sizeof line) length = sizeof line - 1;
    int kept = errno;
    int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0) {
        if (write(file, line, (size_t)length) < 0) { /* nothing else can be done here */ }
        close(file);
    }
    errno = kept;
}

static void note_path(const char *what, int folder, const char *path) {
    char whole[PATH_MAX];
    if (path[0] == '/') {
        note(what, path);
        return;
    }
    char link[64], base[PATH_MAX];
    if (folder == AT_FDCWD) {
        if (!getcwd(base, sizeof base)) return;
    } else {
        snprintf(link, sizeof link, "/proc/self/fd/%d", folder);
        ssize_t length = readlink(link, base, sizeof base - 1);
        if (length < 0) return;
        base[length] = 0;
    }
    snprintf(whole, sizeof whole, "%.2000s/%.2000s", base, path);
    note(what, whole);
}

static int is_own(const char *name) {
    return !name || !*name || !strcmp(name, "localhost") || !strcmp(name, "::1") || !strncmp(name, "127.", 4) ||
           !strcmp(name, "0.0.0.0") || !strcmp(name, "::");
}

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    if (is_own(name)) return REAL(getaddrinfo)(name, service, hints, found);
    note("lookup", name);
    return EAI_NONAME;
}

struct hostent *gethostbyname(const char *name) {
    if (is_own(name)) return REAL(gethostbyname)(name);
    note("lookup", name);
    h_errno = HOST_NOT_FOUND;
    return NULL;
}

/* 1 if the address is on another machine; only those are written down. */
static int note_address(const struct sockaddr *address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (!address) return 0;
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
    } else if (address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
    } else {
        return 0;
    }
    if (is_own(text) || !strncmp(text, "::ffff:127.", 11)) return 0;
    note("connect", text);
    return 1;
}

int connect(int socket, const struct sockaddr *address, socklen_t length) {
    if (note_address(address)) {
        errno = ENETUNREACH;
        return -1;
    }
    return REAL(connect)(socket, address, length);
}

ssize_t sendto(int socket, const void *data, size_t size, int flags, const struct sockaddr *address, socklen_t length) {
    if (note_address(address)) {
        errno = ENETUNREACH;
        return -1;
    }
    return REAL(sendto)(socket, data, size, flags, address, length);
}

#define WRITES(flags) (((flags) & O_ACCMODE) != O_RDONLY || ((flags) & (O_CREAT | O_TRUNC)))
#define MODE(flags, mode)                                   \
    mode_t mode = 0;                                        \
    if ((flags) & (O_CREAT | O_TMPFILE)) {                  \
        va_list rest;                                       \
        va_start(rest, flags);                              \
        mode = (mode_t)va_arg(rest, int);                   \
        va_end(rest);                                       \
    }

#define OPEN(name)                                          \
    int name(const char *path, int flags, ...) {            \
        MODE(flags, mode)                                   \
        if (WRITES(flags)) note_path("write", AT_FDCWD, path); \
        return REAL(name)(path, flags, mode);               \
    }
#define OPENAT(name)                                        \
    int name(int folder, const char *path, int flags, ...) { \
        MODE(flags, mode)                                   \
        if (WRITES(flags)) note_path("write", folder, path); \
        return REAL(name)(folder, path, flags, mode);       \
    }
#define FOPEN(name)                                         \
    FILE *name(const char *path, const char *mode) {        \
        if (strpbrk(mode, "wa+")) note_path("write", AT_FDCWD, path); \
        return REAL(name)(path, mode);                      \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)
FOPEN(fopen)
FOPEN(fopen64)

int creat(const char *path, mode_t mode) {
    note_path("write", AT_FDCWD, path);
    return REAL(creat)(path, mode);
}

int mkdir(const char *path, mode_t mode) {
    int result = REAL(mkdir)(path, mode);
    if (result == 0) note_path("write", AT_FDCWD, path);
    return result;
}

int rename(const char *from, const char *to) {
    note_path("write", AT_FDCWD, to);
    return REAL(rename)(from, to);
}
