/* The least that a first scan does: open, read and close every prediction file, and 4 KB of every image.
 *
 *     read_loop LIST THREADS [json]
 *
 * LIST holds a line a file, `J path` or `I path`. Each thread takes a contiguous share of it, as the workers of a scan
 * do. With `json` as third argument the images are left out.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IMAGE_BYTES 4096
#define BUFFER_BYTES (1 << 20)

static char **lines;
static long n_lines;
static int n_threads, json_only;

static void *read_share(void *argument) {
    long thread = (long)argument, total = 0;
    char *buffer = malloc(BUFFER_BYTES);
    for (long i = n_lines * thread / n_threads; i < n_lines * (thread + 1) / n_threads; i++) {
        int is_image = lines[i][0] == 'I';
        if (is_image && json_only) continue;
        int descriptor = open(lines[i] + 2, O_RDONLY);
        if (descriptor < 0) { perror(lines[i]); exit(1); }
        ssize_t n;
        while ((n = read(descriptor, buffer, is_image ? IMAGE_BYTES : BUFFER_BYTES)) > 0) {
            total += n;
            if (is_image || n < BUFFER_BYTES) break;
        }
        close(descriptor);
    }
    free(buffer);
    return (void *)total;
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    FILE *list = fopen(argv[1], "r");
    if (!list) { perror(argv[1]); return 1; }
    n_threads = atoi(argv[2]);
    json_only = argc > 3 && !strcmp(argv[3], "json");
    long room = 0;
    char *line = NULL;
    size_t size = 0;
    ssize_t length;
    while ((length = getline(&line, &size, list)) > 0) {
        line[length - 1] = 0;
        if (n_lines == room) lines = realloc(lines, (room = room ? 2 * room : 1024) * sizeof *lines);
        lines[n_lines++] = strdup(line);
    }
    pthread_t threads[64];
    if (n_threads < 1 || n_threads > 64) return 2;
    for (long i = 0; i < n_threads; i++) pthread_create(&threads[i], NULL, read_share, (void *)i);
    long total = 0;
    for (int i = 0; i < n_threads; i++) {
        void *bytes;
        pthread_join(threads[i], &bytes);
        total += (long)bytes;
    }
    printf("%ld\n", total);
    return 0;
}
