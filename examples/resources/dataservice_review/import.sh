# By the id of the review.
terraform import dataservice_review.decision 01990c0c6f0a7c3a9d1e5b7f00112233

# By the publication and the revision: the newest decision on publishing that revision,
# or that none was needed. A pending application cannot be imported, but created.
terraform import dataservice_review.decision 01990c0c6f0a7c3a9d1e5b7f00112233/3
