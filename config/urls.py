from django.urls import include, path

urlpatterns = [path("", include("inbox.urls"))]
