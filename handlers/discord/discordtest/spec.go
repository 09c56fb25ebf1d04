package discordtest

// SpecDoc is the vendor's published vocabulary, loaded.
type SpecDoc struct{}

func (*SpecDoc) check(string, string, *request, reply) []string { return nil }
