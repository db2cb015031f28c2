using FailoverHub.Bgp.Routes;

namespace FailoverHub.Bgp.Session.Timing;

// Answers to ROUTE-REFRESH that are owed. The first is given at once and the next for the same family a second later at the earliest; what is asked for
// meanwhile is one request. So a neighbor that asks without end gets its routes once a second, and nothing piles up.
internal sealed class RefreshRequests
{
    public static readonly TimeSpan Spacing = TimeSpan.FromSeconds(1);

    private readonly Slot[] _slots = new Slot[2];

    // When the next one that is owed may be given; null: none is owed.
    public TimeSpan? NextAt
    {
        get
        {
            TimeSpan? next = null;
            foreach (var slot in _slots)
            {
                if (slot.Owed && (next is null || slot.NotBefore < next))
                {
                    next = slot.NotBefore;
                }
            }

            return next;
        }
    }

    public void Forget() => Array.Clear(_slots);

    public void Ask(RouteFamily family) => _slots[(int)family].Owed = true;

    // True: it is to be given now.
    public bool TryTake(RouteFamily family, TimeSpan now)
    {
        ref var slot = ref _slots[(int)family];
        if (!slot.Owed || now < slot.NotBefore)
        {
            return false;
        }

        slot = new Slot { NotBefore = now + Spacing };
        return true;
    }

    private struct Slot
    {
        public bool Owed { get; set; }

        public TimeSpan NotBefore { get; set; }
    }
}
