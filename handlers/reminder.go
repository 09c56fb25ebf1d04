package handlers

func (r *Router) reminderCommands() []Command { return nil }
