#include "cota/kinds.h"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "base/error.h"
#include "base/files.h"
#include "cota/question.h"

namespace areason {
namespace {

TEST(Kinds, EveryKindHasOneMakerAndEveryMakerAKind) {
  EXPECT_EQ(question_makers().size() + 1, kinds().size());  // "look-up" is made by make_drills()
  std::set<std::string_view> names;
  for (const Kind& kind : kinds()) EXPECT_TRUE(names.insert(kind.name).second) << kind.name;
  EXPECT_THROW(find_kind("nonsense"), Error);
}

TEST(Kinds, DocumentIsTheTable) {
  EXPECT_EQ(read_file("docs/nano_kinds.md"), kinds_markdown()) << "run: audio-reasoner data kinds > docs/nano_kinds.md";
}

}  // namespace
}  // namespace areason
