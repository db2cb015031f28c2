using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.JSInterop;

namespace FailoverHub.Web.Components.Pages.Account;

/// <summary>What somebody changes on his own account: password, authenticator app, passkeys, other browsers.</summary>
public sealed partial class AccountPage
{
    private AccountView? _account;
    private ImmutableArray<PasskeyView> _passkeys = [];
    private ImmutableArray<SignedInBrowser> _sessions = [];
    private IJSObjectReference? _script;
    private string? _session;
    private bool _read;
    private bool _busy;
    private bool _canPasskeys;
    private string _current = "";
    private string _wanted = "";
    private string _again = "";
    private string _passkeyName = "";
    private string _passkeyPassword = "";
    private string? _problem;
    private string? _done;
    private string? _secret;

    /// <summary>Who acts.</summary>
    [CascadingParameter]
    public Actor Actor { get; set; } = new("unknown", null, null);

    [CascadingParameter]
    private Task<AuthenticationState>? Authentication { get; set; }

    [Inject]
    private AccountDesk Desk { get; set; } = null!;

    [Inject]
    private PageGate Gate { get; set; } = null!;

    [Inject]
    private IJSRuntime Script { get; set; } = null!;

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        try
        {
            if (_script is not null)
            {
                await _script.DisposeAsync();
            }
        }
        catch (JSDisconnectedException)
        {
            // The browser has gone, and the script with it.
        }
    }

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync() => await ReadAsync();

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            _script = await Script.InvokeAsync<IJSObjectReference>("import", "./js/passkeys.js");
            _canPasskeys = await _script.InvokeAsync<bool>("available");
            StateHasChanged();
        }
    }

    private async Task ReadAsync()
    {
        if (Authentication is not null && (await Authentication).User is { } user && SignedIn.AccountOf(user) is { } id)
        {
            _session = user.FindFirst(Sessions.Claim)?.Value;
            AccountView? account = await Desk.Accounts.FindAsync(Actor.Name, Leaving);
            _account = account?.Id == id ? account : null;
            _sessions = await Desk.Sessions.OfAsync(id, _session, Leaving);
            _passkeys = _account is { } own ? await Desk.Own.PasskeysAsync(own, Leaving) : [];
        }

        _read = true;
    }

    private Task ChangePasswordAsync() => ActAsync("password-changed", "Your password is changed. Your other browsers are signed out.", async (account, actor) =>
    {
        if (_wanted != _again)
        {
            return new AccountResult("The two new passwords are not the same.");
        }

        AccountResult changed = await Desk.Own.ChangePasswordAsync(account, _current, _wanted, _session, actor, Leaving);
        (_current, _wanted, _again) = changed.Succeeded ? ("", "", "") : ("", _wanted, _again);
        return changed;
    });

    private Task AddPasskeyAsync() => ActAsync("passkey-added", "The passkey is kept: next time sign in with it.", async (_, _) =>
    {
        string? problem = _script is null ? "The page is not ready yet." : await _script.InvokeAsync<string?>("add", Leaving, _passkeyName, _passkeyPassword);
        (_passkeyName, _passkeyPassword) = (problem is null ? "" : _passkeyName, "");
        return problem is null ? AccountResult.Done : new AccountResult(problem);
    });

    private Task RemovePasskeyAsync(PasskeyView passkey) =>
        ActAsync("passkey-removed", $"The passkey {passkey.Name} opens nothing any more.", (account, actor) => Desk.Own.RemovePasskeyAsync(account, passkey, actor, Leaving));

    private Task EndOthersAsync() => ActAsync("sessions-ended", "Your other browsers are signed out.", async (account, actor) =>
        await Desk.Sessions.EndOthersAsync(account.Id, _session ?? "", actor, Leaving) ? AccountResult.Done : new AccountResult("It could not be written."));

    private Task ActAsync(AccountAct act) => ActAsync(act.What, act.Done, act.Act);

    private async Task ActAsync(string what, string done, Func<AccountView, Actor, Task<AccountResult>> act)
    {
        if (_busy || _account is not { } account)
        {
            return;
        }

        (_busy, _problem, _done, _secret) = (true, null, null, null);
        try
        {
            AccountResult result = await Gate.AskAsync(Actor, AccessPolicies.PageView, what, Leaving) is { } actor ? await act(account, actor) : new AccountResult(PageGate.Closed);
            (_problem, _secret, _done) = (result.Problem, result.Secret, result.Succeeded ? done : null);
            await ReadAsync();
        }
        finally
        {
            _busy = false;
        }
    }
}

/// <summary>Something that a part of the page wants done.</summary>
/// <param name="What">For the audit, when it is refused at the door.</param>
/// <param name="Done">Said when it is done.</param>
/// <param name="Act">Does it.</param>
public sealed record AccountAct(string What, string Done, Func<AccountView, Actor, Task<AccountResult>> Act);
