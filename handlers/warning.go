package handlers

func (r *Router) warningCommands() []Command { return nil }

func (r *Router) rotationCommands() []Command { return nil }
