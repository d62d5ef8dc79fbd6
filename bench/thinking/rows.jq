# Rows of `data synth` -> the rows of this experiment: questions on one clip of sounds that end within 6 s, without the options and
# their letters (the last step of a lettered chain looks the letter up; docs/thinking-pays.md says why it is left out).
# `choices` stays for the scoring: an answer is right when it names the right one and no other. --arg base: from the rows' folder to the clips'.
def wanted: ["sound-name-open", "sound-count", "sound-presence", "sound-first", "sound-last", "sound-after", "sound-before", "sound-order",
             "sound-overlap", "sound-longer", "sound-first-open", "sound-last-open", "sound-after-open"];
select(.domain == "sound" and (.audio | length) == 1 and (.kind as $k | wanted | index($k)) != null)
| select([.timeline[].to] | max <= 6)
| .audio |= map($base + .)
| .question |= sub(",?[ \n]+\\(a\\)[^$]*$"; "")
| .sections.planning |= sub(" and (compare the order with|look for the option that)[^.]*"; "")
| .sections.reasoning |= sub(" \\(a\\) .*$"; "")
| .sections.response |= sub(" The answer is [A-D]\\.$"; "")
# The answer alone: a response that repeats the question's sound would name two.
| if .kind | test("^sound-(after|before)") then .sections.response = "It is the " + .answer.text + "." else . end
| del(.timeline, .review)
