# terraform apply -invoke=action.dataservice_review_cancel.orders
action "dataservice_review_cancel" "orders" {
  config {
    review_id = dataservice_publication.orders.review_id
    remark    = "the definition changes once more"
  }
}
