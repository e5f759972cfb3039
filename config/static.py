"""Static files under names that carry what is in them."""

from __future__ import annotations

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # it comes without types
    """Modules import each other by hashed names too, so a browser never mixes modules of two deploys."""

    support_js_module_import_aggregation = True
    max_post_process_passes = 20  # each pass settles one level of imports
