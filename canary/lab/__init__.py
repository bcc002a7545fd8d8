"""A small fleet with the postmortem's faults in it, served over real HTTP: for drills, demos and benchmarks.

corpus -> model -> decode     a small language model: honest distributions, seeded noise
selection, batches            how accelerators pick a token, and for how many requests at once
prompts                       what a prompt asks for
engine                        what one server does with one prompt
faults, spec, fleet           balancers, pools, replicas, and what is wrong with them
wire, render, server, run     OpenAI's API around it
"""
