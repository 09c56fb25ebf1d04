package vault

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"filippo.io/age"

	"keepwatch"
)

// keys are what a vault seals to and opens with.
type keys struct {
	recipients     []age.Recipient
	recipientNames []string
	identities     []age.Identity
	file           string
}

// loadKeys reads the identity file, where there is one, and the recipients:
// those given, or else those of the identities.
func loadKeys(recipients []string, file string) (keys, error) {
	k := keys{file: file}
	if file != "" {
		ids, names, err := readIdentities(file)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return k, err
		}
		k.identities = ids
		if len(recipients) == 0 {
			recipients = names
		}
	}
	if len(recipients) == 0 {
		return k, keepwatch.Errorf(keepwatch.KindAttention, "There is no key to seal to: no recipients are configured and the key file %s is missing.", file)
	}
	parsed, err := age.ParseRecipients(strings.NewReader(strings.Join(recipients, "\n")))
	if err != nil {
		return k, keepwatch.Errorf(keepwatch.KindInvalid, "A recipient of the vault is no age public key (they begin with age1): %v.", err).Because(err)
	}
	hybrid := 0
	for _, r := range parsed {
		if _, ok := r.(*age.HybridRecipient); ok {
			hybrid++
		}
	}
	if hybrid > 0 && hybrid < len(parsed) {
		return k, keepwatch.Errorf(keepwatch.KindInvalid, "The vault's recipients mix post-quantum keys (age1pq1…) with ordinary ones (age1…). age refuses to seal to both: use one sort only.")
	}
	k.recipients, k.recipientNames = parsed, recipients
	return k, nil
}

// readIdentities reads a file as age-keygen writes it, and gives the public
// halves too. A file that others may read is refused: it opens every archive.
func readIdentities(file string) (ids []age.Identity, recipients []string, err error) {
	f, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, err
	}
	if err != nil {
		return nil, nil, trouble("The key file "+file+" cannot be read", err)
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && tooOpen(info.Mode()) {
		return nil, nil, keepwatch.Errorf(keepwatch.KindAttention, "Others on this machine can read the key file %s, which opens every archive. Run: chmod 600 %s", file, file)
	}
	ids, err = age.ParseIdentities(f)
	if err != nil {
		return nil, nil, keepwatch.Errorf(keepwatch.KindAttention, "The key file %s does not hold an age secret key (a line that begins with AGE-SECRET-KEY-). Put the right file in its place.", file).Because(err)
	}
	for _, id := range ids {
		switch id := id.(type) {
		case *age.X25519Identity:
			recipients = append(recipients, id.Recipient().String())
		case *age.HybridIdentity:
			recipients = append(recipients, id.Recipient().String())
		}
	}
	return ids, recipients, nil
}

// NewIdentity makes an age X25519 key, writes it to file (mode 0600, synced) and
// gives its public half. A file that exists is never touched.
func NewIdentity(file string) (recipient string, err error) {
	id, err := age.GenerateX25519Identity()
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	text := fmt.Sprintf("# The key of this Keepwatch. It opens every archive: keep a copy elsewhere.\n# public key: %s\n%s\n", id.Recipient(), id)
	temp, err := os.CreateTemp(filepath.Dir(file), ".age-identity-*")
	if err != nil {
		return "", trouble("The key file "+file+" cannot be made", err)
	}
	defer os.Remove(temp.Name())
	_, err = temp.WriteString(text)
	if err = errors.Join(err, temp.Sync(), temp.Close()); err != nil {
		return "", trouble("The key file "+file+" cannot be written", err)
	}
	if err := os.Link(temp.Name(), file); err != nil {
		if errors.Is(err, fs.ErrExist) {
			return "", keepwatch.Errorf(keepwatch.KindConflict, "The key file %s exists already and is left as it is. Move it away first.", file)
		}
		return "", trouble("The key file "+file+" cannot be made", err)
	}
	return id.Recipient().String(), syncDir(filepath.Dir(file))
}

// wrongKey makes a sentence of age's "no identity matched".
func (k keys) wrongKey(recipients []string, err error) error {
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); !ok && !errors.Is(err, age.ErrIncorrectIdentity) {
		return nil
	}
	return keepwatch.Errorf(keepwatch.KindAttention, "The key in %s does not open this archive. It was sealed to %s: use the key file that belongs to it.",
		k.file, strings.Join(recipients, ", ")).Because(err)
}
