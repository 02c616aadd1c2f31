"""Password contexts by jwcrypto: `make_jwcrypto.py PUBLIC_KEY_FILE`.

Standard input is {"x5t", "claims", "passwords"}; standard output a list of {"made", "password", "jwe"}. The claims are bare:
jwcrypto makes no unsigned tokens.
"""

import json
import sys

from jwcrypto import jwe, jwk

given = json.load(sys.stdin)
with open(sys.argv[1], "rb") as file:
    key = jwk.JWK.from_pem(file.read())
made = []
for alg in ["RSA-OAEP", "RSA-OAEP-256"]:
    for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]:
        for zip in [{}, {"zip": "DEF"}]:
            for password in given["passwords"]:
                claims = json.dumps({**given["claims"], "user-password": password})
                header = json.dumps({"alg": alg, "enc": enc, "x5t": given["x5t"], **zip})
                token = jwe.JWE(claims.encode(), header, algs=[alg, enc])
                token.add_recipient(key)
                name = " ".join([alg, enc, *zip.values()])
                made.append({"made": name, "password": password, "jwe": token.serialize(compact=True)})
json.dump(made, sys.stdout)
