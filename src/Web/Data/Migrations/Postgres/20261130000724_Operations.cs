using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Postgres
{
    /// <inheritdoc />
    public partial class Operations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<long>(
                name: "ApprovalEndsMs",
                table: "Operations",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "ApprovedBy",
                table: "Operations",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<string>(
                name: "RequestJson",
                table: "Operations",
                type: "text",
                nullable: true,
                collation: "C");

            migrationBuilder.AddColumn<long>(
                name: "ScheduledForMs",
                table: "Operations",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<long>(
                name: "WindowEndsMs",
                table: "Operations",
                type: "bigint",
                nullable: true);

            migrationBuilder.AddColumn<bool>(
                name: "OnReturn",
                table: "Intents",
                type: "boolean",
                nullable: false,
                defaultValue: false);

            migrationBuilder.CreateTable(
                name: "Freezes",
                columns: table => new
                {
                    Scope = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    UntilMs = table.Column<long>(type: "bigint", nullable: false),
                    Actor = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Reason = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    OperationId = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_Freezes", x => x.Scope);
                });

            migrationBuilder.CreateTable(
                name: "HeldFailbacks",
                columns: table => new
                {
                    Node = table.Column<string>(type: "text", nullable: false, collation: "C"),
                    Failback = table.Column<string>(type: "text", nullable: false, collation: "C")
                },
                constraints: table =>
                {
                    table.PrimaryKey("PK_HeldFailbacks", x => x.Node);
                });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "Freezes");

            migrationBuilder.DropTable(
                name: "HeldFailbacks");

            migrationBuilder.DropColumn(
                name: "ApprovalEndsMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "ApprovedBy",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "RequestJson",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "ScheduledForMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "WindowEndsMs",
                table: "Operations");

            migrationBuilder.DropColumn(
                name: "OnReturn",
                table: "Intents");
        }
    }
}
