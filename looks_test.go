package keepwatch

import "testing"

func TestLooksSecret(t *testing.T) {
	for text, want := range map[string]bool{
		"AGE-SECRET-KEY-1QQPQ": true, "it is age-secret-key-1qqpq in the safe": true, "-----BEGIN PRIVATE KEY-----": true,
		"hunter2": true, "Correct-Horse7": true, "P@ssw0rd!": true, "Blue.Horse": true, "4711": true, "xK9mQ2vL": true, "\"hunter2\"": true,
		"password is hunter": true, "the password: hunter": true, "Password: Blue-Horse": true, "pin 4711": true, "the PIN is 4711": true, "cyfrinair = draig": true,
		"it is in the safe, Xk9!mQ2v": true, "kept as 3f9ac02b77de41c0aa12f0e9": true,
		"": false, "in the safe, blue folder": false, "Bitwarden": false, "1Password": false, "1Password, vault IT": false, "KeePassXC": false, "safe": false, "the office safe": false,
		"password is in the safe": false, "the password is recorded": false, "the password manager": false, "the password was refused": false, "password and key: both in the safe": false,
		"KeePass file IT-2026.kdbx on the server": false, "https://contoso.sharepoint.com/sites/IT-7/Keys2026": false, "alis.backup1@outlook.com": false, "with Bethan since 2026-11-20": false,
		"2026-11-26": false, "+44 1824 700700": false, "/srv/keys/Age-2026": false, "3fa85f64-5717-4562-b3fc-2c963f66afa6": false, "yn y sêff, ffolder las": false, "сейф": false, "drawer 12": false, "Room 4.12, shelf B": false,
		"no code arrived": false, "the code was wrong": false, "the code never came": false,
	} {
		if LooksSecret(text) != want {
			t.Errorf("LooksSecret(%q) is %v", text, !want)
		}
	}
}
