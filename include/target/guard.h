/* SPDX-License-Identifier: MIT */
/*
 * Somebody who makes us go on when we are stopped with threads of a program in our hands.
 *
 * SIGSTOP cannot be caught, and comes at any moment; whoever we hold at that moment would stand still until somebody
 * continues us. So there is a small process beside us, which sleeps until a thread of ours has held others for longer
 * than it ever should, and then sends us SIGCONT: they are let go, and the stop does not last. Who wants us to stand
 * still sends SIGTSTP (Ctrl-Z), which waits until nobody is held.
 *
 * Whatever ends us ends the guard. Where there is none, threads are held as if there was one.
 */
#ifndef TARGET_GUARD_H
#define TARGET_GUARD_H

/*
 * Starts the guard. To be called once, by the main thread and before others are made, when threads are going to be
 * stopped (target/stop.h).
 */
void guard_start(void);

/* Ends the guard. Accepts that there is none. */
void guard_end(void);

#endif
