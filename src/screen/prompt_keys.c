/* SPDX-License-Identifier: MIT */
/* What is done with what is typed into a prompt. */
#include "base/cleanup.h"
#include "view_state.h"

#include <string.h>

static void save(struct screen *screen)
{
    cleanup_buffer struct buffer message = {0};
    const struct screen_services *services = &screen->options.services;
    struct error *error = services->save(services->context, screen->prompt.text, &message);
    if (error)
        view_say_error(screen, error);
    else
        snprintf(screen->message, sizeof(screen->message), "%s", buffer_text(&message));
}

/* What was typed, which the prompt has kept short enough. */
static void copy_typed(const struct prompt *prompt, char out[MODEL_FILTER_SIZE])
{
    size_t len = strnlen(prompt->text, MODEL_FILTER_SIZE - 1);
    memcpy(out, prompt->text, len);
    out[len] = '\0';
}

static void close_prompt(struct screen *screen)
{
    screen->prompt.kind = PROMPT_NONE;
}

static void take_key_for_search(struct screen *screen, enum prompt_outcome outcome)
{
    bool is_over = outcome == PROMPT_ACCEPTED || outcome == PROMPT_CANCELLED;
    if (outcome == PROMPT_CANCELLED)
        screen->prompt.text[0] = '\0';
    copy_typed(&screen->prompt, screen->search);
    if (outcome == PROMPT_CHANGED)
        view_search(screen, screen->search_from, 1);
    if (outcome == PROMPT_CANCELLED)
        view_move_to(screen, screen->search_from);
    if (is_over)
        close_prompt(screen);
}

static void take_key_for_filter(struct screen *screen, enum prompt_outcome outcome)
{
    if (outcome == PROMPT_CANCELLED)
        screen->prompt.text[0] = '\0';
    copy_typed(&screen->prompt, screen->settings->filter);
    if (outcome == PROMPT_ACCEPTED || outcome == PROMPT_CANCELLED)
        close_prompt(screen);
    view_list(screen);
}

static void take_key_for_save(struct screen *screen, enum prompt_outcome outcome)
{
    if (outcome == PROMPT_CANCELLED)
        close_prompt(screen);
    if (outcome != PROMPT_ACCEPTED)
        return;
    if (screen->prompt.text[0] != '\0' && access(screen->prompt.text, F_OK) == 0) {
        screen->prompt.kind = PROMPT_OVERWRITE;
        screen->prompt.is_line = false;
        snprintf(screen->prompt.question, sizeof(screen->prompt.question), "The file is there: y writes over it");
        return;
    }
    close_prompt(screen);
    if (screen->prompt.text[0] != '\0')
        save(screen);
}

static void take_answer_to_overwrite(struct screen *screen, unsigned key)
{
    close_prompt(screen);
    if (key == 'y' || key == 'Y')
        save(screen);
}

static void take_answer_to_quit(struct screen *screen, unsigned key)
{
    if (key == 'k' || key == 'K')
        screen->wish = SCREEN_END_PROGRAM;
    if (key == 'l' || key == 'L')
        screen->wish = SCREEN_LEAVE;
    close_prompt(screen);
}

void view_take_prompt_key(struct screen *screen, unsigned key, bool is_code)
{
    if (screen->prompt.kind == PROMPT_OVERWRITE) {
        take_answer_to_overwrite(screen, is_code ? 0 : key);
        return;
    }
    if (screen->prompt.kind == PROMPT_QUIT) {
        take_answer_to_quit(screen, is_code ? 0 : key);
        return;
    }
    enum prompt_outcome outcome = prompt_take_key(&screen->prompt, key, is_code);
    if (outcome == PROMPT_IGNORED)
        return;
    switch (screen->prompt.kind) {
    case PROMPT_SEARCH:
        take_key_for_search(screen, outcome);
        break;
    case PROMPT_FILTER:
        take_key_for_filter(screen, outcome);
        break;
    case PROMPT_SAVE:
        take_key_for_save(screen, outcome);
        break;
    case PROMPT_NONE:
    case PROMPT_OVERWRITE:
    case PROMPT_QUIT:
        break;
    }
}
