package main

import (
	"log/slog"

	"keepwatch"
	"keepwatch/providers/outlook/graph"
)

// microsoft says how Microsoft 365 is reached. Without any of its variables there is no
// Microsoft 365, and ok is false.
func (e environment) microsoft(log *slog.Logger) (cfg graph.Config, ok bool) {
	get := func(name string) string { return e.values["MICROSOFT_"+name] }
	cfg = graph.Config{
		Tenant: get("TENANT_ID"), Client: get("CLIENT_ID"),
		Secret: keepwatch.NewSecret(get("CLIENT_SECRET")), Certificate: keepwatch.NewSecret(get("CLIENT_CERTIFICATE")),
		GraphURL: get("GRAPH_URL"), LoginURL: get("LOGIN_URL"), Log: log,
	}
	return cfg, cfg.Tenant != "" || cfg.Client != ""
}

// wrongMicrosoft says what is wrong with those variables, as sentences.
func (e environment) wrongMicrosoft() []string {
	cfg, ok := e.microsoft(nil)
	if !ok && cfg.Secret.IsZero() && cfg.Certificate.IsZero() {
		return nil
	}
	if err := cfg.Validate(); err != nil {
		return []string{keepwatch.Sentence(err) + " docs/outlook.md says where each variable is found."}
	}
	return nil
}
