package keepwatch_test

import (
	"testing"

	"keepwatch"
)

func TestLooksSecret(t *testing.T) {
	for _, c := range []struct {
		text         string
		holds, looks bool
	}{
		{"", false, false},
		{"in the safe, blue folder", false, false},
		{"In the safe at the office, envelope 3", false, false},
		{"Bitwarden, collection IT", false, false},
		{"Bitwarden", false, false},
		{"1Password", false, false},
		{"1Password, vault Operations", false, false},
		{"KeePassXC on the NAS", false, false},
		{"safe B-12, drawer 2", false, false},
		{"Blaenau-Ffestiniog", false, false},
		{"alis@contoso.example", false, false},
		{"https://vault.example.net/items/42", false, false},
		{"/srv/keys/age-identity.txt", false, false},
		{`S:\IT\Keys2026.kdbx`, false, false},
		{"the password is in the safe", false, false},
		{"Password: in the safe, blue folder", false, false},
		{"password is recorded with Olwen", false, false},
		{"the PIN is kept by Alis", false, false},
		{"tenant 72f988bf-86f1-41af-91ab-2d7cd011db47", false, false},
		{"Schließfach der Bank", false, false},
		{"it says that the password is wrong", false, false},
		{"the PIN is too short", false, false},
		{"Password: forgotten, reset by Olwen", false, false},
		{"the password is correct.", false, false},
		{"the passcode is asked for again and again", false, false},
		{"das Passwort ist falsch", false, false},
		{"ring 0800 1234 5678 9012 first", false, false},
		{"look into room then into safe with Olwen", false, false},
		{"box 12B4 of room 3", false, false},
		{"KeePass", false, false},
		{"LastPass", false, false},
		{"password Office365 folder", false, false},
		{"the password in KeePassXC", false, false},
		{"PIN 3 in the safe", false, false},
		{"72f988bf-86f1-41af-91ab-2d7cd011db47", false, false},

		{"KeePass, entry Registrar", false, false},
		{"the password is wrong", false, false},
		{"1Password vault", false, false},
		{"iPhone 15", false, false},
		{"the iPhone15Pro is on iOS 17.4.1", false, false},
		{"Samsung Galaxy S24Ultra with Android 14", false, false},
		{"error AADSTS50058, then 0x80070005", false, false},
		{"room B12", false, false},
		{"bg1@contoso.onmicrosoft.com", false, false},
		{"bg1@contoso.onmicrosoft.com: FIDO2 key, office safe", false, false},
		{"bg1@contoso has no end", false, false},
		{"Contoso1a.onmicrosoft.com, DESKTOP-7F3K2QX and Server2019", false, false},
		{"https://portal.azure.com/#view/Microsoft_AAD_IAM/Blade1x in the browser", false, false},
		{"20Nov2026, 2026-11-20T14:00:00Z and 20.11.2026", false, false},
		{"the password 2026-11-20 changed", false, false},
		{"Ticket#2311220040001234, US$1,500.00 for Microsoft365Business", false, false},
		{"ask <@U0123abCD> for it", false, false},
		{"what they want is the password", false, false},
		{"Keys2026.kdbx is the password file", false, false},
		{"1Password is the password manager", false, false},
		{"Companies House 01234567, folder “Company”", false, false},
		{"+44 1824 700000, Alis", false, false},
		{"Rechnung-2024 im Ordner", false, false},

		{"the iPhone is too old, password Hunter2!x9", true, true},
		{"Gandi, password Hunter2!x9", true, true},
		{"Gandi, password Sommer2024", true, true},
		{"Hunter2!x9", true, true},
		{"Cloudflare, login admin / Hunter2!x9", true, true},
		{"Sommer-2024 is the password", true, true},
		{"Gandi has sommer24 as password for alis", true, true},
		{"Hunter2!x9 in the safe", true, true},
		{"Gandi (Hunter22x)", true, true},
		{"it wants Pa$5word, they say", true, true},
		{"Bitwarden Summer2026!", true, true},
		{"hunter2", false, true},
		{"P@ssw0rd", true, true},
		{"Summer2026!", true, true},
		{"4711", false, true},
		{"PIN 4711", true, true},
		{"password hunter2", true, true},
		{"the password hunter2XYZ99 of Alis", true, true},
		{"123456-234567-345678-456789-567890-678901-789012-890123", true, true},
		{"password is correct horse battery staple", true, true},
		{"password: hunter2", true, true},
		{"the password=hunter2 for all", true, true},
		{"PIN: 4711", true, true},
		{"in the safe, pw = Xy", true, true},
		{"age-secret-key-1qqqqq", true, true},
		{"AGE-SECRET-KEY-1QYQSZQGPQYQSZQGPQYQSZQGP in the safe", true, true},
		{"-----BEGIN PRIVATE KEY-----", true, true},
		{"safe, xoxb12Ab34Cd56Ef78", true, true},
		{"JBSWY3DPEHPK3PXP", true, true},
		{"the key is jbsw y3dp ehpk 3pxp", true, true}, // as Security info shows it
		{"123456 234567 345678 456789 567890 678901 789012 890123", true, true},
		{"https://alis:hunter2@vault.example.net/", true, true},
	} {
		if got := keepwatch.HoldsSecret(c.text); got != c.holds {
			t.Errorf("HoldsSecret(%q) = %v", c.text, got)
		}
		if got := keepwatch.LooksSecret(c.text); got != c.looks {
			t.Errorf("LooksSecret(%q) = %v", c.text, got)
		}
	}
}
