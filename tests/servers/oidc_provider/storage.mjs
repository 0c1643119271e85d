// Storage for oidc-provider in plain Maps. The storage it ships with forgets everything beyond 1,000 entries,
// registered clients included.
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';

// What a restart must not lose, so that a portal that registered a client still finds it.
const KEPT = ['Client', 'RegistrationAccessToken'];

class MapStorage {
  constructor(records, indexes, model, file) {
    Object.assign(this, { records, indexes, model, file });
  }

  keep() {
    if (!this.file || !KEPT.includes(this.model)) return;
    const kept = [...this.records].filter(([key]) => KEPT.includes(key.split(':')[0]));
    writeFileSync(`${this.file}.new`, JSON.stringify(kept), { mode: 0o600 });
    renameSync(`${this.file}.new`, this.file);
  }

  key(id) {
    return `${this.model}:${id}`;
  }

  async upsert(id, payload, expiresIn) {
    const key = this.key(id);
    this.records.set(key, { payload, expiresAt: expiresIn ? Date.now() + expiresIn * 1000 : null });
    this.keep();
    if (payload.uid) this.indexes.set(`${this.model}:uid:${payload.uid}`, id);
    if (payload.userCode) this.indexes.set(`${this.model}:userCode:${payload.userCode}`, id);
    if (payload.grantId) {
      const members = this.indexes.get(`grant:${payload.grantId}`) ?? new Set();
      this.indexes.set(`grant:${payload.grantId}`, members.add(key));
    }
  }

  async find(id) {
    const record = this.records.get(this.key(id));
    if (record?.expiresAt && record.expiresAt <= Date.now()) {
      this.records.delete(this.key(id));
      return undefined;
    }
    return record?.payload;
  }

  async findByUid(uid) {
    return this.find(this.indexes.get(`${this.model}:uid:${uid}`));
  }

  async findByUserCode(userCode) {
    return this.find(this.indexes.get(`${this.model}:userCode:${userCode}`));
  }

  async consume(id) {
    const payload = await this.find(id);
    if (payload) payload.consumed = Math.floor(Date.now() / 1000);
  }

  async destroy(id) {
    this.records.delete(this.key(id));
    this.keep();
  }

  async revokeByGrantId(grantId) {
    for (const key of this.indexes.get(`grant:${grantId}`) ?? []) this.records.delete(key);
    this.indexes.delete(`grant:${grantId}`);
  }
}

/** An adapter factory whose models share one set of records; clients are also kept in `file`, when one is named. */
export function storage(file) {
  const records = new Map(file && existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : []);
  const indexes = new Map();
  return (model) => new MapStorage(records, indexes, model, file);
}
