"""A drill from recorded score vectors: what the lab can answer is scored once, and the slots replay it.

Theory of operation. What a request meets is drawn (`odds`): a server, a batch, and the faults that strike it, by the
very law of the lab's fleet and at the exact rates of the moment, in bulk for all slots of the scenario. At temperature
0 an answer is settled by that, so each meeting that was drawn is fired once, through wire, client and scorers, into a
`bank` of score vectors; where something strikes at random inside an answer, or tokens are sampled, a number of answers
is drawn once (`bank.DRAWS`) and then resampled. Golden answers are drawn and scored in the same way (`golden`).

From the score on, all is the product's: detectors and scopes with their budgets, alarms, findings, blame, incidents,
suspects, notifications. Only the recursion of the detectors is worked out on many series and slots at once (`lanes`);
that it raises the very alarms that `canary.pipeline.advance` raises from the same scores is a test, and so is that
delays and scores have the law that a full drill gives them.

What is left out: how long answers take, but for those that take too long; and that a client keeps silent for the
second that a throttled answer asks for.
"""
