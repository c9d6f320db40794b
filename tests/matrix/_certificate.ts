/** A certificate for `localhost` and 127.0.0.1 that vouches for itself until 2119, and is good for nothing but these tests. */
export const certificate = `-----BEGIN CERTIFICATE-----
MIIBRTCB66ADAgECAgEBMAoGCCqGSM49BAMCMBQxEjAQBgNVBAMMCWxvY2FsaG9z
dDAgFw0yMDAxMDEwMDAwMDBaGA8yMTE5MDEwMTAwMDAwMFowFDESMBAGA1UEAwwJ
bG9jYWxob3N0MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEKQwrog4SM3y/Luey
XWO0ZVit2nOGX8QT/BNJxXeNNXYVaWT7oEMqqsra6OG4fyonPjUmXdstDYm5PQ0/
pC49z6MsMCowGgYDVR0RBBMwEYIJbG9jYWxob3N0hwR/AAABMAwGA1UdEwEB/wQC
MAAwCgYIKoZIzj0EAwIDSQAwRgIhAL+WEwc+byIMvq+wvFlSbDe6Z40wBJE6YiuP
1NvLd7iuAiEA6cJ6YojQcbVvD5/abtUyrkAhWKVh9Pd84fAQqGaAMvw=
-----END CERTIFICATE-----
`;

/** Its key. */
export const privateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgqwKybo2/1qRnktCk
+WMUa9fh00Hi67zU2sTQ0ZGls8ihRANCAAQpDCuiDhIzfL8u57JdY7RlWK3ac4Zf
xBP8E0nFd401dhVpZPugQyqqytro4bh/Kic+NSZd2y0Nibk9DT+kLj3P
-----END PRIVATE KEY-----
`;
