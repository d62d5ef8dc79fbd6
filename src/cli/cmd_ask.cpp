// Placeholder until this command's owner writes it: adds nothing, so that the program links.
#include "cli/commands.h"

namespace areason {

void register_ask(CLI::App&) {}

}  // namespace areason
