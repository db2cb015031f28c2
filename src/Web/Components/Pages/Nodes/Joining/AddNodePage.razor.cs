using FailoverHub.Web.Access;
using FailoverHub.Web.Components.Shared.Status;
using FailoverHub.Web.Data;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.History;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Components;

namespace FailoverHub.Web.Components.Pages.Nodes.Joining;

/// <summary>One copyable command, and then what has become of it: the page turns green when the node has arrived.</summary>
public sealed partial class AddNodePage
{
    private string _node = "";
    private int _minutes = (int)JoinTokens.DefaultLifetime.TotalMinutes;
    private JoinToken? _token;
    private JoinTokenInfo? _info;
    private string _hubUrl = "";
    private string? _problem;
    private bool _making;

    /// <summary>Name of a node that there is already, which is to get a new certificate.</summary>
    [SupplyParameterFromQuery]
    public string? Node { get; set; }

    /// <summary>Who is asking.</summary>
    [CascadingParameter]
    public Actor Actor { get; set; } = new("unknown", null, null);

    private bool IsForExisting => !string.IsNullOrEmpty(Node);

    private bool MayAdd => Actor.Rights.HasFlag(Rights.Administer);

    private string Title => IsForExisting ? $"New certificate for {Node}" : "Add a node";

    private TimeSpan Remaining => _info is { } info && info.ExpiresAt > Now ? info.ExpiresAt - Now : TimeSpan.Zero;

    private JoinProgress Progress => JoinProgress.Of(_info!, _info!.UsedBy is { } name ? Fleet.Current.FindNode(name) : null, Now);

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        base.OnInitialized();

        // A node that joins changes the fleet; what became of the token is read then, and whenever time has passed.
        FollowCalmly(Fleet.WatchAsync, ReadAsync);
    }

    private async Task ReadAsync()
    {
        if (_info is { UsedAt: null } info)
        {
            _info = (await Tokens.ListAsync(Leaving)).FirstOrDefault(t => t.Id == info.Id) ?? info;
        }
    }

    private async Task MakeAsync()
    {
        if (_making)
        {
            return;
        }

        _making = true;
        _problem = null;
        try
        {
            // The page may be older than its right to act: the session may have ended since.
            var name = IsForExisting ? Node : _node.Length == 0 ? null : _node;
            if (await Gate.AskAsync(Actor, AccessPolicies.PageAdmin, "join-token-created", Leaving, NodeNames.IsGood(name ?? "") ? AuditTarget.Node(name!) : "hub") is not { } actor)
            {
                _problem = await Gate.WhyClosedAsync(AccessPolicies.PageAdmin);
                return;
            }

            // Read before there is a token: a command that is shown once must not lack its address.
            _hubUrl = await Identity.PublicUrlAsync(Leaving);
            var made = await Tokens.CreateAsync(new JoinTokenRequest(name, IsForExisting, TimeSpan.FromMinutes(_minutes)), actor, Leaving);
            (_token, _info, _problem) = (made.Token, made.Info, made.Problem);
        }
        catch (Exception e) when (StorageFaults.IsStorageFault(e))
        {
            _problem = $"The audit cannot be written ({e.GetBaseException().Message}), so no token was made.";
        }
        finally
        {
            _making = false;
        }
    }

    private void Again() => (_token, _info, _problem) = (null, null, null);
}

/// <summary>How far a join has come, for whoever waits for it. Pure.</summary>
/// <param name="Step">A stable word.</param>
/// <param name="Tone">How it looks.</param>
/// <param name="Text">One English sentence.</param>
internal sealed record JoinProgress(string Step, StatusTone Tone, string Text)
{
    public static JoinProgress Of(JoinTokenInfo token, NodeView? node, DateTimeOffset now) => token switch
    {
        { WithdrawnAt: not null } => new("withdrawn", StatusTone.Off, "The token was withdrawn: nobody joins with it."),
        { UsedBy: { } name } when node is { Link: NodeLink.Connected } => new("connected", StatusTone.Good, $"{name} has joined and is connected."),
        { UsedBy: { } name } => new("joined", StatusTone.Notice, $"{name} has joined. It connects when its agent runs with this hub: failoverhub-agent run …"),
        _ when now >= token.ExpiresAt => new("expired", StatusTone.Warning, "The token has expired and nobody joined with it. Make another one."),
        _ => new("waiting", StatusTone.Unknown, "Waiting for the node to join. This page follows by itself."),
    };
}
