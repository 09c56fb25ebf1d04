package vault

import (
	"context"
	"testing"

	"keepwatch"
)

// TestNoPlanForWhatIsNoDisk: nothing is offered that cannot be done.
func TestNoPlanForWhatIsNoDisk(t *testing.T) {
	v := newVault(t)
	a := seal(t, v, 1, file("a", "x"))
	for _, to := range []string{"/proc/x", "/proc/self/x", "/sys/x/y"} {
		_, err := v.PlanExtract(context.Background(), a.Ref(), keepwatch.Ask{To: to})
		want(t, err, keepwatch.KindAttention, to, "no disk")
	}
}
