package keepwatch_test

import (
	"strings"
	"testing"

	"keepwatch"
)

func TestValidMailboxPart(t *testing.T) {
	for text, want := range map[string]bool{
		"mail": true, "Inbox": true, "Inbox/Projects": true, "Entwürfe": true, "calendar/Team A": true, "A//B": true,
		"": false, " ": false, "/": false, " / ": false, "a\nb": false, "\xff": false, strings.Repeat("x", 2001): false,
	} {
		if got := keepwatch.ValidMailboxPart(text); got != want {
			t.Errorf("ValidMailboxPart(%q) = %v", text, got)
		}
	}
}
