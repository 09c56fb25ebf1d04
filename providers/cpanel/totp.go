package cpanel

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"time"

	"keepwatch"
)

// codeTime is how long a one-time code lasts (RFC 6238, section 5.2).
const codeTime = 30 * time.Second

// codes makes one-time codes and gives none twice: a host may take each once only
// (RFC 6238, section 5.2).
type codes struct {
	mu   sync.Mutex
	last int64 // the step of the newest code that was given
}

// next gives a code that was not given before. Where that of this moment was, it waits
// for the next one.
func (k *codes) next(ctx context.Context, secret keepwatch.Secret, now func() time.Time) (string, error) {
	for {
		at := now()
		if k.claim(at.Unix() / int64(codeTime/time.Second)) {
			return oneTime(secret.Reveal(), at)
		}
		if err := pause(ctx, codeTime-time.Duration(at.UnixNano())%codeTime); err != nil {
			return "", err
		}
	}
}

// claim takes the code of a step, unless it or a later one is taken.
func (k *codes) claim(step int64) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if step <= k.last {
		return false
	}
	k.last = step
	return true
}

// oneTime gives the code of a moment: RFC 6238 with SHA-1, six digits and 30 seconds.
// secret is base32, with or without spaces and padding, in either case.
func oneTime(secret string, at time.Time) (string, error) {
	plain := strings.TrimRight(strings.ToUpper(strings.Join(strings.Fields(secret), "")), "=")
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(plain)
	if err != nil || len(key) == 0 {
		return "", keepwatch.Errorf(keepwatch.KindInvalid, "otp_secret: in keepwatch.yaml is not what the host shows beside its QR code: letters A to Z and digits 2 to 7.")
	}
	var step [8]byte
	binary.BigEndian.PutUint64(step[:], uint64(at.Unix()/int64(codeTime/time.Second)))
	mac := hmac.New(sha1.New, key)
	mac.Write(step[:])
	sum := mac.Sum(nil)
	from := sum[len(sum)-1] & 15 // RFC 4226, section 5.3
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[from:])&0x7fffffff%1_000_000), nil
}

// pause waits, unless ctx ends before.
func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
