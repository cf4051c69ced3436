package secret

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ansibleMark begins whatever ansible-vault has encrypted.
const ansibleMark = "$ANSIBLE_VAULT;"

// ErrVaultPassword says that a password does not open what ansible-vault encrypted, or that this was changed since: there is
// no way to tell.
var ErrVaultPassword = errors.New("the ansible-vault password does not fit, or the text was changed since it was encrypted")

// IsAnsibleVault says whether a text is what ansible-vault makes of a file or a value.
func IsAnsibleVault(text []byte) bool {
	return bytes.HasPrefix(bytes.TrimSpace(text), []byte(ansibleMark))
}

// DecryptAnsibleVault decrypts a whole file or one value of the formats 1.1 and 1.2 with AES256. Blanks and line ends around
// the lines do not matter, as in an indented YAML value, nor do those around the password, as with Ansible. The errors never
// quote the text; ErrVaultPassword is one of them.
func DecryptAnsibleVault(text []byte, password Secret) ([]byte, error) {
	v, err := parseAnsible(text)
	if err != nil {
		return nil, err
	}
	return v.decrypt(password)
}

// DecryptAnsibleVault decrypts with the passwords of the Opener: that of the vault id which the text names first, as Ansible
// does, then all others in the order of their names.
func (o *Opener) DecryptAnsibleVault(ctx context.Context, text []byte) ([]byte, error) {
	v, err := parseAnsible(text)
	if err != nil {
		return nil, err
	}
	ids, passwords, err := o.ansiblePasswords(v.label)
	if err != nil {
		return nil, err
	}
	var failed failures
	for i, password := range passwords {
		p, err := password.Secret(ctx)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("password of the vault id %s: %w", show(ids[i]), err))
			continue
		}
		if plain, err := v.decrypt(p); !errors.Is(err, ErrVaultPassword) {
			return plain, err
		}
	}
	if len(failed) > 0 {
		return nil, failed
	}
	if len(ids) == 1 {
		return nil, ErrVaultPassword
	}
	return nil, fmt.Errorf("%w (tried were the vault ids %s)", ErrVaultPassword, strings.Join(ids, ", "))
}

// ansiblePasswords returns the passwords in the order in which they are tried, and their names.
func (o *Opener) ansiblePasswords(label string) (ids []string, passwords []Source, err error) {
	for _, id := range slices.Sorted(maps.Keys(o.AnsibleVault)) {
		if id == label {
			ids = slices.Insert(ids, 0, id)
		} else {
			ids = append(ids, id)
		}
	}
	for _, id := range ids {
		passwords = append(passwords, o.AnsibleVault[id])
	}
	if len(ids) > 0 {
		return ids, passwords, nil
	}
	file, err := o.ansibleFromEnviron()
	return []string{"default"}, []Source{file}, err
}

// ansibleFromEnviron opens the file that Ansible itself would: a password, or a program that prints it.
func (o *Opener) ansibleFromEnviron() (Source, error) {
	path := o.getenv("ANSIBLE_VAULT_PASSWORD_FILE")
	if path == "" {
		return nil, errors.New("no ansible-vault password is known: name it in secrets: ansible_vault, or its file in ANSIBLE_VAULT_PASSWORD_FILE")
	}
	path, err := expandHome(path)
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("ANSIBLE_VAULT_PASSWORD_FILE: %w", err)
	}
	ref := Ref("file:" + path)
	if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o100 != 0 {
		ref = Ref("exec:'" + strings.ReplaceAll(path, "'", `'"'"'`) + "'")
	}
	return o.Open(ref)
}

// ansibleText is what ansible-vault made, taken apart.
type ansibleText struct {
	label      string // of format 1.2
	salt, hmac []byte
	ciphertext []byte
}

// The parameters of the cipher AES256, as in lib/ansible/parsing/vault of ansible-core.
const (
	ansibleRounds = 10_000
	ansibleKey    = 32
)

// errAnsible says that a text is not whole.
var errAnsible = errors.New("the ansible-vault text is damaged: a part is missing or was changed")

// parseAnsible takes a text apart. Its body is hex digits in lines, which say three more texts in hex digits with line ends
// between them: salt, HMAC, ciphertext.
func parseAnsible(text []byte) (*ansibleText, error) {
	head, body, _ := strings.Cut(strings.TrimSpace(string(text)), "\n")
	words := strings.Split(strings.TrimSpace(head), ";")
	switch {
	case words[0]+";" != ansibleMark:
		return nil, errors.New("it is no ansible-vault text: it does not begin with " + ansibleMark)
	case len(words) < 3:
		return nil, errAnsible
	case words[1] != "1.1" && words[1] != "1.2":
		return nil, errors.New("only the formats 1.1 and 1.2 of ansible-vault are read: encrypt it anew with ansible-vault rekey")
	case words[2] != "AES256":
		return nil, errors.New("only AES256 of ansible-vault is read: encrypt it anew with ansible-vault rekey")
	}
	v := &ansibleText{}
	if words[1] == "1.2" && len(words) > 3 {
		v.label = words[3]
	}
	inner, err := hex.DecodeString(strings.Join(strings.Fields(body), ""))
	if err != nil {
		return nil, errAnsible
	}
	parts := bytes.Split(inner, []byte("\n"))
	if len(parts) != 3 {
		return nil, errAnsible
	}
	for i, to := range []*[]byte{&v.salt, &v.hmac, &v.ciphertext} {
		if *to, err = hex.DecodeString(string(parts[i])); err != nil {
			return nil, errAnsible
		}
	}
	if len(v.salt) == 0 || len(v.hmac) != sha256.Size || len(v.ciphertext) == 0 || len(v.ciphertext)%aes.BlockSize != 0 {
		return nil, errAnsible
	}
	return v, nil
}

// decrypt checks the HMAC before anything else.
func (v *ansibleText) decrypt(password Secret) ([]byte, error) {
	keys, err := pbkdf2.Key(sha256.New, strings.TrimSpace(password.Reveal()), v.salt, ansibleRounds, 2*ansibleKey+aes.BlockSize)
	if err != nil {
		return nil, fmt.Errorf("derive the ansible-vault key: %w", err)
	}
	sum := hmac.New(sha256.New, keys[ansibleKey:2*ansibleKey])
	_, _ = sum.Write(v.ciphertext) // a hash never fails
	if !hmac.Equal(sum.Sum(nil), v.hmac) {
		return nil, ErrVaultPassword
	}
	block, err := aes.NewCipher(keys[:ansibleKey])
	if err != nil {
		return nil, fmt.Errorf("open the ansible-vault text: %w", err)
	}
	plain := make([]byte, len(v.ciphertext))
	cipher.NewCTR(block, keys[2*ansibleKey:]).XORKeyStream(plain, v.ciphertext)
	return unpad(plain)
}

// unpad takes the padding of PKCS #7 away.
func unpad(plain []byte) ([]byte, error) {
	n := int(plain[len(plain)-1])
	if n == 0 || n > aes.BlockSize || n > len(plain) {
		return nil, errAnsible
	}
	for _, b := range plain[len(plain)-n:] {
		if int(b) != n {
			return nil, errAnsible
		}
	}
	return plain[:len(plain)-n], nil
}
