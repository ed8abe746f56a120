package session

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spawnx/spawnx/internal/rundir"
)

// serverTLS returns the configuration of a door on the network, and the
// fingerprint of its certificate.
func (o Options) serverTLS() (*tls.Config, string, error) {
	load := ownCertificate
	if o.Cert != "" || o.Key != "" {
		load = func() (tls.Certificate, error) { return tls.LoadX509KeyPair(o.Cert, o.Key) }
	}
	cert, err := load()
	if err != nil {
		return nil, "", fmt.Errorf("the certificate: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS13}, fingerprint(cert.Certificate[0]), nil
}

// fingerprint names a certificate.
func fingerprint(der []byte) string {
	sum := sha256.Sum256(der)
	return hex.EncodeToString(sum[:])
}

// ownCertificate returns the certificate of this user on this machine, and
// makes it at the first use. Clients know it by its fingerprint, so names and
// dates in it count for nothing.
func ownCertificate() (tls.Certificate, error) {
	state, err := rundir.State()
	if err != nil {
		return tls.Certificate{}, err
	}
	path := filepath.Join(state, "certificate.pem")
	both, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		both, err = makeCertificate(path)
	}
	if err != nil {
		return tls.Certificate{}, err
	}
	cert, err := tls.X509KeyPair(both, both)
	if err != nil {
		err = fmt.Errorf("%s: %w\nhint: remove it, and another is made, with another fingerprint", path, err)
	}
	return cert, err
}

// makeCertificate writes a new key with its certificate, unless another
// process was first.
func makeCertificate(path string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()),
		Subject:      pkix.Name{CommonName: "spawnx"},
		NotBefore:    now.AddDate(0, 0, -1), NotAfter: now.AddDate(30, 0, 0),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames: []string{"spawnx"},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return nil, err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	both := append(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})...)
	f, err := os.CreateTemp(filepath.Dir(path), "certificate")
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(both)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path) // whoever was first
}

// CheckFingerprint returns an error unless s can be the fingerprint of a
// certificate: 64 hexadecimal digits, with colons or without.
func CheckFingerprint(s string) error {
	_, err := parseFingerprint(s)
	return err
}

func parseFingerprint(s string) ([]byte, error) {
	print, err := hex.DecodeString(strings.ReplaceAll(strings.TrimPrefix(strings.ToLower(s), "sha256:"), ":", ""))
	if err != nil || len(print) != sha256.Size {
		return nil, errors.New("64 hexadecimal digits are wanted\nhint: the server printed them at its start")
	}
	return print, nil
}

// clientTLS returns the configuration of a client that knows the server by its
// fingerprint; without one it trusts whom the system trusts.
func clientTLS(host, print string) (*tls.Config, error) {
	conf := &tls.Config{ServerName: host, MinVersion: tls.VersionTLS13}
	if print == "" {
		return conf, nil
	}
	want, err := parseFingerprint(print)
	if err != nil {
		return nil, fmt.Errorf("the fingerprint %q: %w", print, err)
	}
	conf.InsecureSkipVerify = true // by what follows instead
	conf.VerifyConnection = func(cs tls.ConnectionState) error {
		got := sha256.Sum256(cs.PeerCertificates[0].Raw)
		if subtle.ConstantTimeCompare(got[:], want) != 1 {
			return fmt.Errorf("the server's certificate has another fingerprint: %x\nhint: if you know that its server has got a new one, give that; else somebody stands between", got)
		}
		return nil
	}
	return conf, nil
}
