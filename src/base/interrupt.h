#pragma once
// Ctrl-C: the first SIGINT (or SIGTERM) sets a flag that long work polls, the second ends the process at once.
namespace areason {

// Installs the handlers. Called once by main.
void install_interrupt_handler();
// True after the first signal. Safe from any thread.
bool interrupted();
// Forgets an earlier signal (chat: the answer was stopped, the program goes on).
void clear_interrupt();
// Throws Error(kInterrupted) when interrupted() is true.
void throw_if_interrupted();

}  // namespace areason
