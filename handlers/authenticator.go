package handlers

import "keepwatch"

func (r *Router) authenticatorCommands() []Command { return nil }

// question gives what is asked at an occurrence of a RuleAsk.
func (r *Router) question(o keepwatch.Occurrence) keepwatch.Message {
	return keepwatch.Message{Title: o.Text}
}
