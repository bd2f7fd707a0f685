/* SPDX-License-Identifier: MIT */
#include "cli/place.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

enum { OTHER = 12345 }; /* a user */

/* A folder that is the current one meanwhile, and gone afterwards. */
static int enter_folder(void **state)
{
    static char path[] = "/tmp/test-place-XXXXXX";
    strcpy(path + strlen(path) - strlen("XXXXXX"), "XXXXXX");
    assert_non_null(mkdtemp(path));
    assert_int_equal(chdir(path), 0);
    unsetenv("SUDO_UID");
    unsetenv("SUDO_GID");
    *state = path;
    return 0;
}

static int leave_folder(void **state)
{
    char command[128];
    snprintf(command, sizeof(command), "rm -rf '%s'", (const char *)*state);
    assert_int_equal(chdir("/"), 0);
    return system(command);
}

static void assert_place(const char *path, const char *expected)
{
    cleanup_place struct place place = {.folder = -1};
    cleanup_error struct error *error = place_find(path, PLACE_EXISTING, &place);
    assert_null(error);
    assert_string_equal(place.path, expected);
}

static void assert_refused(const char *path, enum error_kind kind)
{
    struct place place = {.folder = -1};
    cleanup_error struct error *error = place_find(path, PLACE_EXISTING, &place);
    assert_non_null(error);
    assert_int_equal(error->kind, kind);
    assert_int_equal(place.folder, -1);
    assert_non_null(strstr(error->sentence, path));
}

static void make_file(const char *path)
{
    cleanup_fd int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
}

static void a_path_is_a_folder_and_a_name(void **state)
{
    cleanup_place struct place place = {.folder = -1};
    char full[256];
    snprintf(full, sizeof(full), "%s/sub/new.svg", (const char *)*state);
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_place("new.svg", "new.svg");
    assert_place("sub//new.svg", "sub/new.svg");
    assert_place("./sub/../new.svg", "./sub/../new.svg");
    assert_place(full, full);
    assert_null(place_find("sub/", PLACE_EXISTING, &place));
    assert_string_equal(place.name, ".");
    assert_refused("missing/new.svg", ERROR_NOT_FOUND);
    make_file("file");
    assert_refused("file/new.svg", ERROR_OS);
}

static void own_links_are_followed(void **state)
{
    (void)state;
    char full[256];
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(symlink("sub", "folder"), 0);
    assert_int_equal(symlink("../real.svg", "sub/link.svg"), 0);
    snprintf(full, sizeof(full), "%s/real.svg", (const char *)*state);
    assert_int_equal(symlink(full, "far.svg"), 0);
    assert_place("folder/link.svg", "sub/../real.svg");
    assert_place("far.svg", full);
    assert_int_equal(symlink("round.svg", "round.svg"), 0);
    assert_refused("round.svg", ERROR_OS);
}

/* Who may give a file away may play everybody here. */
static bool can_be_others(void)
{
    make_file("own");
    bool can = chown("own", OTHER, OTHER) == 0;
    unlink("own");
    return can;
}

static void links_of_others_are_not_followed_by_root(void **state)
{
    (void)state;
    if (!can_be_others())
        skip();
    assert_int_equal(mkdir("theirs", 0755), 0);
    assert_int_equal(chown("theirs", OTHER, OTHER), 0);
    assert_int_equal(symlink("/etc/victim", "theirs/x.svg"), 0);
    assert_int_equal(symlink("/etc", "theirs/sub"), 0);
    assert_int_equal(lchown("theirs/x.svg", OTHER, OTHER), 0);
    assert_int_equal(lchown("theirs/sub", OTHER, OTHER), 0);
    assert_refused("theirs/x.svg", ERROR_PERMISSION);
    assert_refused("theirs/sub/x.svg", ERROR_PERMISSION);
    assert_place("theirs/y.svg", "theirs/y.svg");
}

/* As fs.protected_symlinks says it, whether that is on or not. */
static void others_follow_as_the_kernel_does(void **state)
{
    (void)state;
    if (!can_be_others())
        skip();
    assert_int_equal(chmod(".", 0755), 0);
    assert_int_equal(mkdir("open", 0700), 0);
    assert_int_equal(chmod("open", 01777), 0);
    assert_int_equal(symlink("real.svg", "open/root.svg"), 0);
    assert_int_equal(symlink("real.svg", "open/third.svg"), 0);
    assert_int_equal(lchown("open/third.svg", OTHER + 1, OTHER), 0);
    assert_int_equal(mkdir("plain", 0700), 0);
    assert_int_equal(chmod("plain", 0755), 0);
    assert_int_equal(symlink("real.svg", "plain/third.svg"), 0);
    assert_int_equal(lchown("plain/third.svg", OTHER + 1, OTHER), 0);
    assert_int_equal(seteuid(OTHER), 0);
    assert_place("open/root.svg", "open/real.svg");
    assert_place("plain/third.svg", "plain/real.svg");
    assert_refused("open/third.svg", ERROR_PERMISSION);
    assert_int_equal(seteuid(0), 0);
}

/* Whatever is put into the path later, the folder is the one that was found. */
static void a_folder_that_is_exchanged_does_not_matter(void **state)
{
    (void)state;
    cleanup_place struct place place = {.folder = -1};
    struct stat file;
    assert_int_equal(mkdir("sub", 0700), 0);
    assert_int_equal(mkdir("trap", 0700), 0);
    assert_null(place_find("sub/x.svg", PLACE_EXISTING, &place));
    assert_int_equal(rename("sub", "away"), 0);
    assert_int_equal(symlink("trap", "sub"), 0);
    cleanup_fd int fd = place_make(&place, place.name);
    assert_true(fd >= 0);
    assert_int_equal(stat("away/x.svg", &file), 0);
    assert_int_not_equal(stat("trap/x.svg", &file), 0);
}

static void a_file_is_made_new_and_for_its_owner_alone(void **state)
{
    (void)state;
    struct stat file;
    cleanup_place struct place place = {.folder = -1};
    assert_null(place_find("x.svg", PLACE_EXISTING, &place));
    mode_t mask = umask(0);
    cleanup_fd int fd = place_make(&place, "x.svg");
    umask(mask);
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_mode & 07777, 0600);
    assert_int_equal(place_make(&place, "x.svg"), -1);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(symlink("elsewhere", "link"), 0);
    assert_int_equal(place_make(&place, "link"), -1);
    assert_int_not_equal(stat("elsewhere", &file), 0);
}

static void under_sudo_files_are_the_callers(void **state)
{
    (void)state;
    struct stat file;
    if (!can_be_others())
        skip();
    static const char *const wrong[] = {"", "-1", "x", "4294967295", "99999999999999999999", "12 "};
    cleanup_place struct place place = {.folder = -1};
    assert_null(place_find("x.svg", PLACE_EXISTING, &place));
    setenv("SUDO_GID", "12346", 1);
    for (size_t i = 0; i < array_size(wrong); i++) {
        setenv("SUDO_UID", wrong[i], 1);
        cleanup_fd int fd = place_make(&place, "x.svg");
        assert_int_equal(fstat(fd, &file), 0);
        assert_int_equal(file.st_uid, 0);
        assert_int_equal(unlink("x.svg"), 0);
    }
    setenv("SUDO_UID", "12345", 1);
    cleanup_fd int fd = place_make(&place, "x.svg");
    assert_int_equal(fstat(fd, &file), 0);
    assert_int_equal(file.st_uid, 12345);
    assert_int_equal(file.st_gid, 12346);
    assert_true(place_is_own(&file));
    cleanup_place struct place deep = {.folder = -1};
    assert_int_equal(mkdir("home", 0700), 0);
    assert_int_equal(chown("home", 12345, 12346), 0);
    assert_null(place_find("home/state/pyspyc/x", PLACE_MADE, &deep));
    assert_int_equal(stat("home/state/pyspyc", &file), 0);
    assert_int_equal(file.st_uid, 12345);
    cleanup_place struct place roots = {.folder = -1};
    assert_null(place_find("state/pyspyc/x", PLACE_MADE, &roots));
    struct stat folder;
    assert_int_equal(stat("state", &folder), 0);
    assert_int_equal(folder.st_uid, 0);
    assert_int_equal(file.st_mode & 07777, 0700);
}

static void what_others_put_into_an_open_folder_is_foreign(void **state)
{
    (void)state;
    struct stat file;
    if (!can_be_others())
        skip();
    cleanup_place struct place place = {.folder = -1};
    make_file("x.svg");
    assert_null(place_find("x.svg", PLACE_EXISTING, &place));
    assert_int_equal(chmod(".", 01777), 0);
    assert_true(place_look(&place, &file));
    assert_false(place_is_foreign(&place, &file));
    assert_int_equal(chown("x.svg", OTHER, OTHER), 0);
    assert_true(place_look(&place, &file));
    assert_true(place_is_foreign(&place, &file));
    assert_int_equal(chmod(".", 0755), 0);
    assert_false(place_is_foreign(&place, &file));
}

static void places_are_one_by_folder_and_name(void **state)
{
    (void)state;
    struct place places[3];
    assert_int_equal(mkdir("sub", 0700), 0);
    static const char *const paths[] = {"x.svg", "sub/../x.svg", "sub/x.svg"};
    for (size_t i = 0; i < array_size(paths); i++)
        assert_null(place_find(paths[i], PLACE_EXISTING, &places[i]));
    assert_true(place_is_same(&places[0], &places[1]));
    assert_false(place_is_same(&places[0], &places[2]));
    for (size_t i = 0; i < array_size(places); i++)
        place_deinit(&places[i]);
    assert_false(place_is_same(&places[0], &places[1]));
}

/* Links of /proc lead where no path does. */
static void links_of_the_kernel_are_left_to_it(void **state)
{
    (void)state;
    int pipes[2];
    char path[64];
    struct place place = {.folder = -1};
    assert_int_equal(pipe(pipes), 0);
    snprintf(path, sizeof(path), "/dev/fd/%d", pipes[1]);
    assert_null(place_find(path, PLACE_EXISTING, &place));
    assert_true(place.is_kernel_link);
    place_deinit(&place);
    assert_null(place_find("/proc/self/cwd/x.svg", PLACE_EXISTING, &place));
    assert_false(place.is_kernel_link);
    cleanup_fd int fd = place_make(&place, place.name);
    assert_true(fd >= 0);
    place_deinit(&place);
    assert_int_equal(access("x.svg", F_OK), 0);
    close(pipes[0]);
    close(pipes[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_path_is_a_folder_and_a_name, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(own_links_are_followed, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(links_of_others_are_not_followed_by_root, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(others_follow_as_the_kernel_does, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_folder_that_is_exchanged_does_not_matter, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(a_file_is_made_new_and_for_its_owner_alone, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(under_sudo_files_are_the_callers, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(what_others_put_into_an_open_folder_is_foreign, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(places_are_one_by_folder_and_name, enter_folder, leave_folder),
        cmocka_unit_test_setup_teardown(links_of_the_kernel_are_left_to_it, enter_folder, leave_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
