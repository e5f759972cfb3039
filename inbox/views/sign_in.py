"""Signing in and out, and a new password. Whoever fails hears the same, whatever was wrong."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout, update_session_auth_hash
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from inbox import live
from inbox.http import AgentRequest, signed_in
from inbox.models import Agent
from inbox.models.sign_in import SignInAttempt

WRONG = "That address and password do not belong together."
TOO_OFTEN = "That was tried too often. Wait a quarter of an hour, or ask an admin for a new password."


class SignInForm(forms.Form):
    email = forms.CharField(max_length=254, error_messages={"required": "Type your email address."})
    password = forms.CharField(max_length=1024, strip=False, error_messages={"required": "Type your password."})


@sensitive_post_parameters("password")
@require_http_methods(["GET", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    if request.user.is_authenticated:
        return redirect(_next(request))
    if request.method == "GET":
        return _page(request, SignInForm(), status=200)
    form = SignInForm(request.POST)
    if not form.is_valid():
        return _page(request, form, status=422)
    email, place = form.cleaned_data["email"].strip(), _place(request)
    if not SignInAttempt.is_allowed(email, place):
        return _page(request, form, status=429, problem=TOO_OFTEN)
    agent = authenticate(request, username=email, password=form.cleaned_data["password"])
    if not isinstance(agent, Agent):
        return _page(request, form, status=422, problem=WRONG)
    SignInAttempt.succeeded(email, place)
    login(request, agent)  # a new session key: nobody's old one becomes theirs
    return redirect(_next(request))


def _page(request: HttpRequest, form: SignInForm, *, status: int, problem: str = "") -> HttpResponse:
    context = {"form": form, "problem": problem, "next": _next(request) if "next" in _given(request) else ""}
    return render(request, "inbox/sign_in.html", context, status=status)


def _given(request: HttpRequest) -> Any:
    return request.POST if request.method == "POST" else request.GET


def _next(request: HttpRequest) -> str:
    """Where they wanted to go, if that is a page of ours."""
    wanted = _given(request).get("next", "")
    is_ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if is_ours and wanted.startswith("/") and wanted.isprintable() else settings.LOGIN_REDIRECT_URL


def _place(request: HttpRequest) -> str:
    """Where the request comes from. What a proxy says counts only when the settings say there is one."""
    if settings.BEHIND_TLS_PROXY:
        return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()[:64]
    return str(request.META.get("REMOTE_ADDR", ""))


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    agent = request.user.pk
    logout(request)
    if agent:
        live.announce(lambda: {"kind": "agent", "agent": agent})
    return redirect(settings.LOGIN_URL)


@sensitive_post_parameters()
@signed_in
@require_http_methods(["GET", "POST"])
def password(request: AgentRequest) -> HttpResponse:
    """A new password. It signs the agent out everywhere else."""
    form = PasswordChangeForm(request.user, request.POST or None)
    if request.method == "POST" and form.is_valid():
        agent = form.save()
        update_session_auth_hash(request, agent)
        live.announce(lambda: {"kind": "agent", "agent": agent.pk})
        messages.info(request, "Your password is changed. Everywhere else you are signed out.")
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "inbox/password.html", {"form": form}, status=422 if form.is_bound else 200)
