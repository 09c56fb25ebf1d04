package handlers

func (r *Router) reportCommands() []Command { return nil }
