package authenticator

import "testing"

// TestEnded: what somebody wrote is followed by another sentence.
func TestEnded(t *testing.T) {
	for text, want := range map[string]string{"": "", "step 2: go on without it": "step 2: go on without it.", "done.": "done.", "who knows? ": "who knows?"} {
		if got := ended(text); got != want {
			t.Errorf("%q: %q", text, got)
		}
	}
}
