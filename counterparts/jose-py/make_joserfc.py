"""Password contexts by joserfc: `make_joserfc.py PUBLIC_KEY_FILE`.

Standard input is {"x5t", "claims", "passwords"}; standard output a list of {"made", "password", "jwe"}. The claims are inside
a token that nobody signed.
"""

import json
import sys

from joserfc import jwe, jwt
from joserfc.jwk import OctKey, RSAKey

given = json.load(sys.stdin)
with open(sys.argv[1], "rb") as file:
    key = RSAKey.import_key(file.read())
made = []
for alg in ["RSA-OAEP", "RSA-OAEP-256"]:
    for enc in ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]:
        for zip in [{}, {"zip": "DEF"}]:
            for password in given["passwords"]:
                claims = {**given["claims"], "user-password": password}
                inner = jwt.encode({"alg": "none"}, claims, OctKey.generate_key(), algorithms=["none"])
                header = {"alg": alg, "enc": enc, "x5t": given["x5t"], **zip}
                text = jwe.encrypt_compact(header, inner, key, algorithms=[alg, enc, "DEF"])
                made.append({"made": " ".join([alg, enc, *zip.values()]), "password": password, "jwe": text})
json.dump(made, sys.stdout)
