using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Components;

namespace FailoverHub.Web.Components.Pages.Settings;

/// <summary>Accounts: who there is, roles, locks, passwords.</summary>
public sealed partial class UsersPage
{
    private ImmutableArray<AccountView>? _accounts;
    private ImmutableArray<string> _roles = [];
    private ImmutableArray<string> _newRoles = [HubRoles.Viewer];
    private string? _open;
    private string _newName = "";
    private string _typed = "";
    private bool _withFactor;
    private bool _required;
    private bool _busy;
    private string? _problem;
    private string? _secret;
    private string _secretOf = "";
    private Step? _step;

    // What is asked about once more before it is done.
    private enum Step
    {
        Lock,
        Reset,
    }

    /// <summary>Who acts.</summary>
    [CascadingParameter]
    public Actor Actor { get; set; } = new("unknown", null, null);

    [Inject]
    private Accounts Accounts { get; set; } = null!;

    [Inject]
    private SecondFactorRule Rule { get; set; } = null!;

    [Inject]
    private PageGate Gate { get; set; } = null!;

    /// <inheritdoc/>
    protected override async Task OnInitializedAsync() => await ReadAsync();

    private static StatusWord StateOf(AccountView account) =>
        account.IsLocked ? new(StatusTone.Off, "Locked")
        : account.LockedOutUntil is not null ? new(StatusTone.Warning, "Locked out by failed attempts")
        : account.PasswordIsTemporary ? new(StatusTone.Notice, "Has a temporary password")
        : new(StatusTone.Good, "Open");

    private static string FactorOf(AccountView account) =>
        (account.HasAuthenticator, account.Passkeys) switch
        {
            (false, 0) => account.HasPassword ? "none" : "at the provider",
            (true, 0) => "app",
            (false, 1) => "1 passkey",
            (false, var count) => $"{count} passkeys",
            (true, 1) => "app, 1 passkey",
            (true, var count) => $"app, {count} passkeys",
        };

    private async Task ReadAsync()
    {
        _accounts = await Accounts.ListAsync(Leaving);
        _required = await Rule.IsRequiredAsync(Leaving);
    }

    private void Open(AccountView account)
    {
        _open = _open == account.Id ? null : account.Id;
        (_roles, _typed, _withFactor, _problem, _step) = (account.Roles, "", false, null, null);
    }

    private Task CreateAsync()
    {
        string name = _newName.Trim();
        return ActAsync("user-created", name, async actor =>
        {
            AccountResult made = await Accounts.CreateAsync(name, _newRoles, null, onlyAsFirst: false, actor, Leaving);
            _newName = made.Succeeded ? "" : _newName;
            return made;
        });
    }

    private Task ChangeAsync(string what, AccountView account, Func<Actor, Task<AccountResult>> change) => ActAsync(what, account.Name, change);

    private Task RequireAsync(bool required) => ActAsync("second-factor-rule", "", async actor =>
        await Rule.RequireAsync(required, actor, Leaving) ? AccountResult.Done : new AccountResult("It could not be written."));

    private async Task ActAsync(string what, string name, Func<Actor, Task<AccountResult>> act)
    {
        if (_busy)
        {
            return;
        }

        (_busy, _problem, _secret, _step) = (true, null, null, null);
        try
        {
            AccountResult result = await Gate.AskAsync(Actor, AccessPolicies.PageAdmin, what, Leaving) is { } actor ? await act(actor) : new AccountResult(PageGate.Closed);
            (_problem, _secret, _secretOf) = (result.Problem, result.Secret, name);
            await ReadAsync();
            if (result.Succeeded && _accounts?.FirstOrDefault(account => account.Id == _open) is { } open)
            {
                _roles = open.Roles;
            }
        }
        finally
        {
            _busy = false;
        }
    }
}
