"""What pushing and pulling mean: uploads, blobs, manifests, tags, referrers and mounts.

Rules only. Records and bytes are reached through the Protocols here, HTTP is ``nacre.hub.api``.
"""
