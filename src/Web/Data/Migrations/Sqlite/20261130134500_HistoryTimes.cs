using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace FailoverHub.Web.Data.Migrations.Sqlite
{
    /// <summary>Which times each block of entries has is asked of PostgreSQL's index only; both have migrations of the same names.</summary>
    public partial class HistoryTimes : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
        }
    }
}
