// Password contexts by jose: `node make.mjs PUBLIC_KEY_FILE`. Standard input is {"x5t", "claims", "passwords"}; standard output
// a list of {"made", "password", "jwe"}. jose does not compress.
import { readFileSync } from "node:fs";
import { CompactEncrypt, UnsecuredJWT, importSPKI } from "jose";

const { x5t, claims, passwords } = JSON.parse(readFileSync(0, "utf8"));
const pem = readFileSync(process.argv[2], "utf8");
const made = [];
for (const alg of ["RSA-OAEP", "RSA-OAEP-256"]) {
  const key = await importSPKI(pem, alg);
  for (const enc of ["A128CBC-HS256", "A256CBC-HS512", "A128GCM", "A256GCM"]) {
    for (const password of passwords) {
      const inner = new UnsecuredJWT({ ...claims, "user-password": password }).encode();
      const header = { alg, enc, x5t, cty: "JWT" };
      const jwe = await new CompactEncrypt(new TextEncoder().encode(inner)).setProtectedHeader(header).encrypt(key);
      made.push({ made: `${alg} ${enc}`, password, jwe });
    }
  }
}
console.log(JSON.stringify(made));
