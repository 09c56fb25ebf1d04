package keepwatch

import (
	"fmt"
	"log/slog"
)

// Secret holds a token, password or key that must not be printed. Every way of
// formatting, logging or encoding it gives "<secret>"; only Reveal gives the
// text, at the one place that sends it.
type Secret struct{ text string }

const redacted = "<secret>"

// NewSecret wraps text.
func NewSecret(text string) Secret { return Secret{text} }

// Reveal gives the text itself.
func (s Secret) Reveal() string { return s.text }

// IsZero reports whether there is nothing in it.
func (s Secret) IsZero() bool { return s.text == "" }

func (s Secret) String() string   { return redacted }
func (s Secret) GoString() string { return redacted }

// Format answers every fmt verb alike, %x and %q included.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(redacted)) }

// MarshalText keeps it out of JSON, YAML and XML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue keeps it out of slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
