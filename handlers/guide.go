package handlers

func (r *Router) guideCommands() []Command { return nil }
