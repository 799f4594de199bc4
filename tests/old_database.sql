BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE conversations (
	channel VARCHAR(16) NOT NULL, 
	person VARCHAR(32) NOT NULL, 
	state JSON NOT NULL, 
	revision INTEGER NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (channel, person)
);
INSERT INTO "conversations" VALUES('web','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','{"recent": ["deposit-refund"], "choices": [], "place": null, "misses": 0, "last_at": "2026-11-01T08:00:00+00:00"}',1,'2026-11-01 08:00:00');
INSERT INTO "conversations" VALUES('web','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','{"recent": ["deposit-refund"], "choices": [], "place": null, "misses": 0, "last_at": "2026-11-01T08:00:00+00:00"}',1,'2026-11-01 08:00:00');
CREATE TABLE ratings (
	turn VARCHAR(32) NOT NULL, 
	useful BOOLEAN NOT NULL, 
	reason TEXT NOT NULL, 
	at DATETIME NOT NULL, 
	PRIMARY KEY (turn), 
	FOREIGN KEY(turn) REFERENCES turns (id) ON DELETE CASCADE
);
INSERT INTO "ratings" VALUES('r1',1,'','2026-11-01 08:00:00');
CREATE TABLE turns (
	id VARCHAR(32) NOT NULL, 
	channel VARCHAR(16) NOT NULL, 
	message_id VARCHAR(200) NOT NULL, 
	person VARCHAR(32) NOT NULL, 
	at DATETIME NOT NULL, 
	question TEXT NOT NULL, 
	kind VARCHAR(16) NOT NULL, 
	entry VARCHAR(100), 
	score FLOAT, 
	version VARCHAR(16) NOT NULL, 
	reply JSON NOT NULL, 
	matches JSON NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (channel, message_id)
);
INSERT INTO "turns" VALUES('r1','web','m1','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-11-01 08:00:00','押金不退','answer','deposit-refund',0.9,'v','{"kind": "answer", "body": "要回来", "id": "r1", "entry": "deposit-refund", "measures": [7], "office": ["x"], "door": "监察", "sources": [], "choices": [], "refer": null, "score": 0.9, "version": "v", "handover": false}','[]');
INSERT INTO "turns" VALUES('r2','web','m2','aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa','2026-11-01 08:00:00','押金不退','answer','deposit-refund',0.9,'v','{"kind": "answer", "body": "要回来", "id": "r1", "entry": "deposit-refund", "measures": [7], "office": ["x"], "door": "监察", "sources": [], "choices": [], "refer": null, "score": 0.9, "version": "v", "handover": false}','[]');
INSERT INTO "turns" VALUES('r3','web','m3','bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb','2026-11-01 08:00:00','押金不退','answer','deposit-refund',0.9,'v','{"kind": "answer", "body": "要回来", "id": "r1", "entry": "deposit-refund", "measures": [7], "office": ["x"], "door": "监察", "sources": [], "choices": [], "refer": null, "score": 0.9, "version": "v", "handover": false}','[]');
CREATE INDEX ix_turns_at ON turns (at);
CREATE INDEX ix_turns_person ON turns (person);
CREATE INDEX ix_conversations_at ON conversations (at);
COMMIT;
