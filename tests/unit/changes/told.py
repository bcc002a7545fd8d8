"""What other systems tell of changes, cut down to what a reader may lean on."""

from typing import Any

DEPLOYMENT: dict[str, Any] = {
    "action": "created",
    "deployment": {
        "id": 145988746,
        "sha": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
        "ref": "v2.4",
        "task": "deploy",
        "payload": {},
        "environment": "production",
        "description": None,
        "creator": {"login": "ada"},
        "created_at": "2025-08-25T17:00:00Z",
    },
    "repository": {"full_name": "acme/engine", "html_url": "https://github.com/acme/engine", "pushed_at": "2025-08-25"},
    "sender": {"login": "ada"},
}
SUCCEEDED: dict[str, Any] = {
    **DEPLOYMENT,
    "deployment_status": {"id": 1, "state": "success", "created_at": "2025-08-25T17:20:00Z"},
}
PUSH: dict[str, Any] = {
    "ref": "refs/heads/main",
    "before": "6113728f27ae82c7b1a177c8d03f9e96e0adf246",
    "after": "f95f852bd8fca8fcc58a9a2d6c842781e32a215e",
    "deleted": False,
    "compare": "https://github.com/acme/config/compare/6113728f27ae...f95f852bd8fc",
    "head_commit": {"message": "More traffic to long\n\nWhy not.", "timestamp": "2025-08-29T13:50:00+02:00"},
    "repository": {"full_name": "acme/config", "html_url": "https://github.com/acme/config", "pushed_at": 1756476000},
    "pusher": {"name": "bob", "email": "bob@example.com"},
}
APPLICATION: dict[str, Any] = {
    "apiVersion": "argoproj.io/v1alpha1",
    "kind": "Application",
    "metadata": {"name": "router", "namespace": "argocd", "annotations": {"canary/scope": "mid/api/*"}},
    "status": {
        "history": [
            {
                "id": 7,
                "revision": "26f1d7e0aa26f1d7e0aa26f1d7e0aa26f1d7e0aa",
                "deployStartedAt": "2025-08-29T14:00:00Z",
                "deployedAt": "2025-08-29T14:02:00Z",
                "initiatedBy": {"username": "ada"},
            },
            {"id": 8, "revisions": ["1.2.2", "1.3"], "deployedAt": "2025-08-30T14:02:00Z"},
        ],
        "operationState": {
            "phase": "Failed",
            "message": "failed to fetch https://bot:hunter2@git.example.com/x",
            "startedAt": "2025-08-31T09:00:00Z",
            "finishedAt": "2025-08-31T09:01:00Z",
            "syncResult": {"revision": "26f1d7e0aa26f1d7e0aa26f1d7e0aa26f1d7e0aa"},
            "operation": {"initiatedBy": {"automated": True}},
        },
    },
}


def flagger(message: str, at: int = 1_756_476_000_000, **metadata: str) -> dict[str, Any]:
    said = {"eventMessage": message, "eventType": "Normal", "timestamp": str(at), **metadata}
    return {"name": "mid", "namespace": "serving", "phase": "Progressing", "checksum": "85d557f47b", "metadata": said}


GIT_LOG = """\
commit 11345672839960bc7e61acb9f4c678880760f732 (HEAD -> main)
Author: Ada Lovelace <ada@example.com>
Date:   Fri Aug 29 14:00:00 2025 +0200

    Weights of the long pool

    commit abcdef0 was wrong.

commit e92d187e0fcf625bbdbd6e4b25d219453ea6e57d
Merge: 1134567 2234567
Author: Bob <bob@example.com>
Date:   2025-08-28T09:30:00+00:00

    Merge the sampler
"""
