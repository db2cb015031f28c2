using System.Collections.Immutable;
using FailoverHub.Web.Access;
using FailoverHub.Web.Components.Live;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace FailoverHub.Web.Components.Pages.Operations.Confirm;

/// <summary>
/// Shows what an operation would do to traffic, each rule's result and the steps, asks for a reason, and sends it. The
/// preview is renewed as the fleet changes; what is sent names the revision that the dialog was opened with (SR-04).
/// </summary>
public sealed partial class ConfirmDialog
{
    private OperationRequest _request = null!;
    private OperationPreview? _preview;
    private SubmitResult? _problem;
    private string _reason = "";
    private string _typed = "";
    private string? _refusal;
    private bool _sending;
    private ElementReference _reasonField;

    /// <summary>The pair as it was when the dialog was opened; null: it is about more than one.</summary>
    [Parameter]
    public PairView? Pair { get; set; }

    /// <summary>What is asked for, without reason.</summary>
    [Parameter]
    [EditorRequired]
    public OperationRequest Request { get; set; } = null!;

    [Inject]
    private IOperations Operations { get; set; } = null!;

    [Inject]
    private PageRights RightsOfPage { get; set; } = null!;

    [Inject]
    private IFleetView Fleet { get; set; } = null!;

    [Inject]
    private BrowserInterop Browser { get; set; } = null!;

    [CascadingParameter]
    private IMudDialogInstance? Dialog { get; set; }

    /// <summary>Who is asking.</summary>
    [CascadingParameter]
    public Actor Actor { get; set; } = new("unknown", null, null);

    private PairView? Current => Pair is null ? null : Fleet.Current.FindPair(Pair.Id) ?? Pair;

    // All that it can be asked for is to stand back, with all that it claims and without an end.
    private bool IsOfClaimant => _request.Node is { } node && Pair?.Claimants.Any(claimant => claimant.Node == node) == true;

    private bool IsOutdated => _request.ExpectedRevision != Current?.Revision;

    private string Subject => ConfirmWords.Subject(_request, Pair);

    private string? Missing => ConfirmWords.Missing(_preview, _reason, string.Equals(_typed.Trim(), Subject, StringComparison.Ordinal), Subject);

    /// <inheritdoc/>
    protected override void OnInitialized()
    {
        base.OnInitialized();
        _request = Request with { ExpectedRevision = Pair?.Revision };
        Ask();
        Follow(Fleet.WatchAsync, _ => Ask());
    }

    /// <inheritdoc/>
    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            await Browser.FocusSoonAsync(_reasonField);
        }
    }

    private void Ask() => _preview = Operations.Preview(_request with { Reason = _reason.Trim() }, out _problem);

    private void ChangeReason(ChangeEventArgs change)
    {
        _reason = change.Value as string ?? "";
        Ask();
    }

    private void ChangeRequest(OperationRequest request)
    {
        _request = request;
        Ask();
    }

    private void ChangeOverrides(ImmutableArray<string> rules) => ChangeRequest(_request with { OverrideRules = rules });

    private void SeeAsItIsNow()
    {
        _refusal = null;
        ChangeRequest(_request with { ExpectedRevision = Current?.Revision });
    }

    private async Task SubmitAsync()
    {
        if (_sending)
        {
            return;
        }

        _sending = true;
        _refusal = null;
        try
        {
            // The page may be older than its right to act: the session may have ended since. Then it is tried without any, so that the refusal is in the audit like every other.
            Rights rights = await RightsOfPage.NowAsync();
            SubmitResult result = await Operations.SubmitAsync(_request with { Reason = _reason.Trim() }, Actor with { Rights = rights }, Leaving);
            if (result is SubmitResult.Accepted accepted)
            {
                Dialog?.Close(DialogResult.Ok(accepted.OperationId));
                return;
            }

            _refusal = rights == Rights.None ? "You are not signed in any more. Sign in again and repeat it." : CommandGate.Problem(result);
            Ask();
        }
        finally
        {
            _sending = false;
        }
    }
}
