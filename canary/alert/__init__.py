"""From alarms to people: incidents, their messages, and the outbox that delivers them."""
