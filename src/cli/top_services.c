/* SPDX-License-Identifier: MIT */
#include "top_services.h"

#include "file_name.h"
#include "outputs.h"
#include "picture_options.h"
#include "render.h"
#include "top_output.h"
#include "top_view.h"

#include "base/cleanup.h"
#include "base/escape.h"
#include "formats/dump_formats.h"
#include "profile/process_dump.h"
#include "profile/recording_file.h"
#include "profile/view.h"
#include "sampler/dumping.h"
#include "sampler/recording.h"
#include "screen/feed.h"
#include "screen/screen.h"
#include "target/denial.h"
#include "target/process.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

enum { VALUE_LIMIT = 256 /* characters of the values of variables */ };

/* Makes the outputs of a recording that is in a file without a name. */
static struct error *write_outputs(const struct top_view *view, int fd, struct outputs *outputs)
{
    cleanup_recording_file struct recording_file *file = NULL;
    const struct view_options options = {.only_gil = view->settings.only_gil};
    struct picture_options picture = *view->picture;
    picture.format.detail.with_processes = view->with_processes;
    picture.format.full_filenames = view->settings.full_filenames;
    int own_fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (own_fd < 0)
        return error_from_errno(errno, "cannot read the recording");
    struct error *error = recording_file_open(own_fd, "what was recorded", &file);
    if (error) {
        close(own_fd);
        return error;
    }
    return render(file, fd, &picture, &options, outputs, RENDER_SILENT);
}

static struct error *save(void *context, const char *path, struct buffer *ret_message)
{
    struct top_view *view = context;
    struct outputs outputs = {.is_literal = true}; /* as it was shown to whoever typed it */
    cleanup_fd int fd = memfd_create("recording", MFD_CLOEXEC);
    if (fd < 0)
        return error_from_errno(errno, "cannot make a file for the recording");
    struct error *error = feed_write(view->feed, fd);
    if (!error)
        error = outputs_add(&outputs, path);
    if (!error)
        error = outputs_complete(&outputs);
    if (!error)
        error = outputs_open(&outputs, &(struct file_name_facts){.pid = getpid(), .number = 1});
    if (!error)
        error = write_outputs(view, fd, &outputs);
    outputs_deinit(&outputs);
    if (error)
        return error;
    buffer_format(ret_message, "wrote %.0f s to ", (double)feed_kept_ns(view->feed) / 1e9);
    escape_visible(ret_message, path, strlen(path));
    return NULL;
}

static struct error *format_dump(const struct process_dump *dump, bool full_filenames, struct buffer *ret_text)
{
    cleanup_free char *text = NULL;
    size_t len = 0;
    const struct dump_format_options options = {.full_filenames = full_filenames};
    FILE *stream = open_memstream(&text, &len);
    if (!stream)
        return error_no_memory();
    struct error *error = dump_format_text(dump, &options, stream);
    if (fclose(stream) != 0 && !error)
        error = error_no_memory();
    if (!error)
        buffer_append(ret_text, text, len);
    return error;
}

/* Shows one thread of a dump alone. */
static struct error *format_thread(struct process_dump *dump, int64_t os_id, uint64_t id, bool full_filenames,
                                   struct buffer *ret_text)
{
    uint32_t at = 0, count = dump->thread_count;
    while (at < count && (os_id != 0 ? dump->threads[at].os_id != (uint64_t)os_id : dump->threads[at].id != id))
        at++;
    if (at == count)
        return error_create(ERROR_TARGET_GONE, "the thread has ended");
    struct dump_thread first = dump->threads[0];
    dump->threads[0] = dump->threads[at];
    dump->threads[at] = first;
    dump->thread_count = 1;
    struct error *error = format_dump(dump, full_filenames, ret_text);
    dump->thread_count = count;
    return error;
}

/* Reads a process while nobody else has its threads in his hands. */
static struct error *read_process(const struct top_view *view, const struct process *process, struct process_dump *ret)
{
    const struct dumping_options options = {.text_limit = VALUE_LIMIT, .with_native = view->with_native};
    if (view->with_native)
        recording_pause(view->recording);
    struct error *error = dumping_run(process, &options, ret);
    if (view->with_native)
        recording_go_on(view->recording);
    return error ? denial_explain(error, process) : NULL;
}

static struct error *dump(void *context, int64_t pid, int64_t os_id, uint64_t id, struct buffer *ret_text)
{
    const struct top_view *view = context;
    cleanup_process struct process *process = NULL;
    cleanup_process_dump struct process_dump seen = {0};
    struct error *error = process_open(NULL, (pid_t)pid, &process);
    if (!error)
        error = read_process(view, process, &seen);
    if (error)
        return error;
    bool full = view->settings.full_filenames;
    return os_id == 0 && id == 0 ? format_dump(&seen, full, ret_text) : format_thread(&seen, os_id, id, full, ret_text);
}

static void append_output(void *context, struct buffer *ret_text)
{
    const struct top_view *view = context;
    if (view->output)
        top_output_append(view->output, ret_text);
}

static uint64_t kept_ns(void *context)
{
    return feed_kept_ns(((const struct top_view *)context)->feed);
}

void top_services_fill(struct top_view *view, struct screen_services *ret)
{
    *ret = (struct screen_services){
        .context = view, .save = save, .dump = dump, .append_output = append_output, .kept_ns = kept_ns};
}
