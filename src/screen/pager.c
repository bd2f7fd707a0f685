/* SPDX-License-Identifier: MIT */
#include "pager.h"

#include "base/utf8.h"
#include "terminal.h"

#include <string.h>

enum { LINE_LIMIT = 4096, SIDE_STEP = 8 };

void pager_deinit(struct pager *pager)
{
    buffer_deinit(&pager->text);
    *pager = (struct pager){0};
}

void pager_open(struct pager *pager, const char *title, struct buffer *text, bool at_end)
{
    buffer_deinit(&pager->text);
    pager->text = *text;
    *text = (struct buffer){0};
    snprintf(pager->title, sizeof(pager->title), "%s", title);
    pager->line_count = pager->first = pager->left = 0;
    for (const char *at = buffer_text(&pager->text); (at = strchr(at, '\n')); at++)
        pager->line_count++;
    pager->first = at_end ? pager->line_count : 0;
    pager->is_open = true;
}

static uint32_t page_len(void)
{
    return LINES > 2 ? (uint32_t)LINES - 2 : 1;
}

static void keep_inside(struct pager *pager)
{
    uint32_t last = pager->line_count > page_len() ? pager->line_count - page_len() : 0;
    if (pager->first > last)
        pager->first = last;
}

static void draw_line(const struct pager *pager, const struct terminal *terminal, int row, const char *line, size_t len)
{
    char shown[LINE_LIMIT];
    size_t skipped = utf8_prefix(line, len, pager->left);
    len -= skipped;
    len = len < sizeof(shown) ? len : utf8_prefix(line + skipped, len, (size_t)COLS);
    len = len < sizeof(shown) ? len : sizeof(shown) - 1;
    memcpy(shown, line + skipped, len);
    shown[len] = '\0';
    terminal_put(terminal, row, 0, COLS, shown);
}

static void draw_bottom(const struct pager *pager, const struct terminal *terminal)
{
    char bottom[160];
    uint32_t last = pager->first + page_len();
    snprintf(bottom, sizeof(bottom), "lines %u-%u of %u  q back  arrows scroll",
             pager->line_count ? pager->first + 1 : 0, last < pager->line_count ? last : pager->line_count,
             pager->line_count);
    terminal_put(terminal, LINES - 1, 0, COLS - 1, bottom);
}

void pager_draw(struct pager *pager, const struct terminal *terminal)
{
    keep_inside(pager);
    const char *at = buffer_text(&pager->text);
    for (uint32_t i = 0; i < pager->first && *at; i++)
        at += strcspn(at, "\n") + 1;
    attrset(terminal_style(terminal, STYLE_HEAD));
    mvhline(0, 0, ' ', COLS);
    terminal_put(terminal, 0, 0, COLS, pager->title);
    attrset(A_NORMAL);
    for (uint32_t i = 0; i < page_len() && *at; i++) {
        size_t len = strcspn(at, "\n");
        draw_line(pager, terminal, (int)i + 1, at, len);
        at += len + (at[len] == '\n');
    }
    draw_bottom(pager, terminal);
}

static void scroll_up(struct pager *pager, uint32_t lines)
{
    pager->first -= lines < pager->first ? lines : pager->first;
}

bool pager_take_key(struct pager *pager, int key)
{
    switch (key) {
    case 'q':
    case 'x':
    case 'X':
    case 033:
    case '\r':
    case KEY_ENTER:
    case KEY_F(10):
        pager->is_open = false;
        return true;
    case KEY_UP:
    case 'k':
        scroll_up(pager, 1);
        return true;
    case KEY_DOWN:
    case 'j':
        pager->first++;
        return true;
    case KEY_PPAGE:
    case 'b':
        scroll_up(pager, page_len());
        return true;
    case KEY_NPAGE:
    case ' ':
        pager->first += page_len();
        return true;
    case KEY_HOME:
        pager->first = pager->left = 0;
        return true;
    case KEY_END:
        pager->first = pager->line_count;
        return true;
    case KEY_LEFT:
        pager->left -= pager->left < SIDE_STEP ? pager->left : SIDE_STEP;
        return true;
    case KEY_RIGHT:
        pager->left += pager->left < LINE_LIMIT / 2 ? SIDE_STEP : 0;
        return true;
    default:
        return false;
    }
}
