/* SPDX-License-Identifier: MIT */
#include "terminal.h"

#include "base/buffer.h"
#include "base/cleanup.h"
#include "base/utf8.h"
#include "restore.h"

#include <langinfo.h>
#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>

enum {
    ESCAPE_MS = 25, /* after which a lone escape is the key, not the begin of another */
    PAIR_BUSY = 1,
    PAIR_BAD,
    PAIR_MATCH,
    PAIR_HEAD,
    PAIR_SORTED,
    PAIR_GROUP,
};

static void start_colours(struct terminal *terminal)
{
    terminal->use_colour = terminal->use_colour && has_colors() && start_color() == OK && COLOR_PAIRS > PAIR_GROUP;
    if (!terminal->use_colour)
        return;
    short background = use_default_colors() == OK ? -1 : COLOR_BLACK;
    init_pair(PAIR_BUSY, COLOR_GREEN, background);
    init_pair(PAIR_BAD, COLOR_RED, background);
    init_pair(PAIR_MATCH, COLOR_BLACK, COLOR_YELLOW);
    init_pair(PAIR_HEAD, COLOR_BLACK, COLOR_CYAN);
    init_pair(PAIR_SORTED, COLOR_WHITE, COLOR_BLUE);
    init_pair(PAIR_GROUP, COLOR_CYAN, background);
}

/* Keys that many terminals send in another way than their terminfo entry says, or inside of tmux and screen. */
static void define_keys(void)
{
    static const struct {
        const char *sequence;
        int key;
    } keys[] = {
        {"\033[1~", KEY_HOME},  {"\033[7~", KEY_HOME},  {"\033[H", KEY_HOME},  {"\033OH", KEY_HOME},
        {"\033[4~", KEY_END},   {"\033[8~", KEY_END},   {"\033[F", KEY_END},   {"\033OF", KEY_END},
        {"\033[5~", KEY_PPAGE}, {"\033[6~", KEY_NPAGE}, {"\033[A", KEY_UP},    {"\033OA", KEY_UP},
        {"\033[B", KEY_DOWN},   {"\033OB", KEY_DOWN},   {"\033[C", KEY_RIGHT}, {"\033OC", KEY_RIGHT},
        {"\033[D", KEY_LEFT},   {"\033OD", KEY_LEFT},
    };
    for (size_t i = 0; i < array_size(keys); i++)
        define_key(keys[i].sequence, keys[i].key);
}

/* How the terminal is to behave while it is ours. Ctrl-C and Ctrl-Z stay signals. */
static void set_modes(struct terminal *terminal)
{
    cbreak();
    noecho();
    nonl();
    intrflush(stdscr, FALSE);
    keypad(stdscr, TRUE);
    nodelay(stdscr, TRUE);
    define_keys();
    curs_set(0);
    set_escdelay(ESCAPE_MS);
    terminal_set_mouse(terminal, true);
}

bool terminal_set_letters(void)
{
    const char *wanted = setlocale(LC_CTYPE, "");
    if (wanted && strcmp(nl_langinfo(CODESET), "UTF-8") == 0)
        return true;
    if (setlocale(LC_CTYPE, "C.UTF-8"))
        return true;
    setlocale(LC_CTYPE, "C");
    return false;
}

struct error *terminal_init(struct terminal *terminal, FILE *in, FILE *out, bool use_colour, bool use_ascii)
{
    *terminal = (struct terminal){.in = in, .out = out, .use_colour = use_colour, .use_ascii = use_ascii};
    if (tcgetattr(fileno(in), &terminal->modes) != 0)
        return error_create(ERROR_OS, "the keys cannot be read: there is no terminal");
    terminal->curses = newterm(NULL, out, in);
    if (!terminal->curses)
        return error_create(ERROR_OS, "terminfo does not know this terminal ($TERM); --once and --json need none");
    start_colours(terminal);
    set_modes(terminal);
    restore_prepare(fileno(out), &terminal->modes);
    return NULL;
}

void terminal_deinit(struct terminal *terminal)
{
    if (terminal->curses) {
        terminal_set_mouse(terminal, false);
        endwin();
        delscreen(terminal->curses);
        fflush(terminal->out);
        /* What ncurses was given, and not what it made of it. */
        tcsetattr(fileno(terminal->in), TCSADRAIN, &terminal->modes);
        restore_forget();
    }
    *terminal = (struct terminal){0};
}

void terminal_leave(struct terminal *terminal)
{
    endwin();
    fflush(terminal->out);
}

void terminal_come_back(struct terminal *terminal)
{
    terminal_follow_size(terminal);
    clearok(curscr, TRUE);
    refresh();
    terminal_set_mouse(terminal, terminal->use_mouse);
}

void terminal_follow_size(const struct terminal *terminal)
{
    struct winsize size;
    if (ioctl(fileno(terminal->out), TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0)
        return;
    if (size.ws_row != LINES || size.ws_col != COLS) {
        resizeterm(size.ws_row, size.ws_col);
        clearok(curscr, TRUE);
    }
}

void terminal_set_mouse(struct terminal *terminal, bool is_wanted)
{
    terminal->use_mouse = is_wanted;
    mousemask(is_wanted ? BUTTON1_PRESSED | BUTTON4_PRESSED | BUTTON5_PRESSED : 0, NULL);
    mouseinterval(0);
}

attr_t terminal_style(const struct terminal *terminal, enum terminal_style style)
{
    static const attr_t plain[STYLE_COUNT] = {
        [STYLE_BAD] = A_BOLD,     [STYLE_MATCH] = A_UNDERLINE,
        [STYLE_HEAD] = A_REVERSE, [STYLE_SORTED] = A_REVERSE | A_BOLD,
        [STYLE_GROUP] = A_BOLD,
    };
    static const short pairs[STYLE_COUNT] = {
        [STYLE_BUSY] = PAIR_BUSY, [STYLE_BAD] = PAIR_BAD,       [STYLE_MATCH] = PAIR_MATCH,
        [STYLE_HEAD] = PAIR_HEAD, [STYLE_SORTED] = PAIR_SORTED, [STYLE_GROUP] = PAIR_GROUP,
    };
    if (!terminal->use_colour)
        return plain[style];
    attr_t bold = style == STYLE_BAD || style == STYLE_GROUP || style == STYLE_SORTED ? A_BOLD : 0;
    return (attr_t)COLOR_PAIR(pairs[style]) | bold | (style == STYLE_FAINT ? A_DIM : 0);
}

static void put_bytes(const struct terminal *terminal, const char *text, size_t len)
{
    if (!terminal->use_ascii) {
        addnstr(text, (int)len);
        return;
    }
    for (const char *at = text, *end = text + len; at < end;) {
        int32_t code = utf8_next(&at, end);
        for (size_t i = utf8_columns(code); i > 0; i--)
            addch(code > 0 && code < 0x80 ? (chtype)code : '?');
    }
}

static const char *ellipsis(const struct terminal *terminal)
{
    return terminal->use_ascii ? "~" : "\u2026";
}

static int columns_of(const char *text, size_t len)
{
    return (int)utf8_text_columns(text, len);
}

int terminal_put(const struct terminal *terminal, int row, int column, int columns, const char *text)
{
    size_t len = strlen(text);
    int wanted = columns_of(text, len);
    if (columns <= 0 || wanted == 0 || move(row, column) == ERR)
        return 0;
    if (wanted <= columns) {
        put_bytes(terminal, text, len);
        return wanted;
    }
    size_t prefix = utf8_prefix(text, len, (size_t)columns - 1);
    put_bytes(terminal, text, prefix);
    addstr(ellipsis(terminal));
    return columns_of(text, prefix) + 1;
}

int terminal_put_end(const struct terminal *terminal, int row, int column, int columns, const char *text)
{
    size_t len = strlen(text);
    int wanted = columns_of(text, len);
    if (wanted <= columns)
        return terminal_put(terminal, row, column, columns, text);
    if (columns <= 0 || move(row, column) == ERR)
        return 0;
    size_t suffix = utf8_suffix(text, len, (size_t)columns - 1);
    addstr(ellipsis(terminal));
    put_bytes(terminal, text + len - suffix, suffix);
    return columns_of(text + len - suffix, suffix) + 1;
}
